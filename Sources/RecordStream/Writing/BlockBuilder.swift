import SystemIO

/// Collects records column by column until they make a block.
///
/// A record is added by one call for each column, in any order, and `endRecord`.
public final class BlockBuilder {
    public let schema: Schema
    public private(set) var count = 0
    private var columns: [ColumnBuilder]
    /// Raw column bytes of the finished records: what the closing rule counts.
    private(set) var rawBytes = 0

    init(schema: Schema) {
        self.schema = schema
        columns = schema.columns.map(ColumnBuilder.init)
    }

    /// Tests set it low, to get streams of many blocks that are small all the same.
    var target = StreamLimits.blockTarget

    var isFull: Bool { rawBytes >= target || count >= StreamLimits.blockRecords }

    func endRecord() throws {
        let total = columns.reduce(0) { $0 + $1.rawBytes }
        guard total - rawBytes <= StreamLimits.recordBytes else {
            throw InputError("the record has \(total - rawBytes) bytes; a record of the stream holds at most \(StreamLimits.recordBytes)")
        }
        rawBytes = total
        count += 1
        precondition(columns.allSatisfy { $0.records == count }, "a record type filled a column not exactly once")
    }

    func removeAll() {
        columns.forEach { $0.removeAll() }
        rawBytes = 0
        count = 0
    }

    /// The payload: directory, then each array on 64 bytes.
    func payload() -> RawBuffer {
        let arrays = columns.flatMap(\.arrays)
        let payload = RawBuffer(capacity: rawBytes + 64 * (arrays.count + 4) + 8 * arrays.count)
        for array in arrays { payload.append(UInt64(array.count).littleEndian) }
        payload.pad()
        for array in arrays {
            payload.append(array.bytes)
            payload.pad()
        }
        return payload
    }

    // MARK: Adding one record's value of a column

    public func add<Value: BitwiseCopyable>(number value: Value, to column: Int) {
        columns[column].add(number: value)
    }

    public func add<Value: BitwiseCopyable>(list values: [Value], to column: Int) {
        columns[column].add(list: values)
    }

    public func add<Value: BitwiseCopyable>(lists values: [[Value]], to column: Int) {
        columns[column].add(lists: values)
    }

    public func add(text: [UInt8], to column: Int) { columns[column].add(list: text) }

    public func add(texts: [[UInt8]], to column: Int) { columns[column].add(lists: texts) }

    public func add(name: [UInt8], to column: Int) { columns[column].add(number: columns[column].entry(name)) }

    public func add(names: [[UInt8]], to column: Int) { columns[column].add(list: names.map(columns[column].entry)) }

    public func add(nameLists lists: [[[UInt8]]], to column: Int) {
        columns[column].add(lists: lists.map { $0.map(columns[column].entry) })
    }
}

/// The growing arrays of one column.
final class ColumnBuilder {
    // Offsets wrap around only in a record far above the limit, which `endRecord` refuses.
    private let column: Column
    private let outer = RawBuffer()
    private let inner = RawBuffer()
    private let values = RawBuffer()
    private let dictionaryOffsets = RawBuffer()
    private let dictionaryBytes = RawBuffer()
    private var entries: [[UInt8]: UInt32] = [:]
    private var lists: UInt32 = 0
    private(set) var records = 0

    init(_ column: Column) {
        self.column = column
        start()
    }

    private func start() {
        if column.depth >= 1 { outer.append(UInt32(0)) }
        if column.depth >= 2 { inner.append(UInt32(0)) }
        if column.meaning == .dictionary { dictionaryOffsets.append(UInt32(0)) }
    }

    func removeAll() {
        for buffer in [outer, inner, values, dictionaryOffsets, dictionaryBytes] { buffer.removeAll() }
        entries.removeAll(keepingCapacity: true)
        lists = 0
        records = 0
        start()
    }

    var arrays: [RawBuffer] {
        (column.depth >= 1 ? [outer] : []) + (column.depth >= 2 ? [inner] : []) + [values]
            + (column.meaning == .dictionary ? [dictionaryOffsets, dictionaryBytes] : [])
    }

    var rawBytes: Int { outer.count + inner.count + values.count + dictionaryOffsets.count + dictionaryBytes.count }

    func add<Value: BitwiseCopyable>(number value: Value) {
        check(Value.self, depth: 0)
        values.append(value)
        records += 1
    }

    func add<Value: BitwiseCopyable>(list: [Value]) {
        check(Value.self, depth: 1)
        list.withUnsafeBytes { values.append($0) }
        outer.append(UInt32(truncatingIfNeeded: values.count / column.type.size))
        records += 1
    }

    func add<Value: BitwiseCopyable>(lists items: [[Value]]) {
        check(Value.self, depth: 2)
        for item in items {
            item.withUnsafeBytes { values.append($0) }
            inner.append(UInt32(truncatingIfNeeded: values.count / column.type.size))
        }
        lists &+= UInt32(truncatingIfNeeded: items.count)
        outer.append(lists)
        records += 1
    }

    /// The dictionary's number for `text`, a new one when it is new in this block.
    func entry(_ text: [UInt8]) -> UInt32 {
        if let known = entries[text] { return known }
        let entry = UInt32(truncatingIfNeeded: entries.count)
        entries[text] = entry
        text.withUnsafeBytes { dictionaryBytes.append($0) }
        dictionaryOffsets.append(UInt32(truncatingIfNeeded: dictionaryBytes.count))
        return entry
    }

    private func check<Value>(_ type: Value.Type, depth: Int) {
        precondition(MemoryLayout<Value>.size == column.type.size && depth == column.depth, "column \(column.name) takes \(column.type) of depth \(column.depth)")
    }
}
