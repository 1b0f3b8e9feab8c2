import JSON
import SystemIO

/// Collects records column by column until they make a block, or a part of one that a writer adds to others (`StreamWriter.append(records:)`).
///
/// A record is added by one call for each column, in any order, and `endRecord`.
public final class BlockBuilder {
    public let schema: Schema
    public private(set) var count = 0
    private let columns: [ColumnBuilder]
    /// Raw column bytes of the finished records: what the closing rule counts.
    private(set) var rawBytes = 0
    /// What directory and padding may add to them in a payload.
    private let overhead: Int

    /// - Parameter capacity: bytes that each array has room for from the start.
    public init(schema: Schema, capacity: Int = 4096) {
        self.schema = schema
        let none = RawBuffer(capacity: 0)
        columns = schema.columns.map { ColumnBuilder($0, capacity: capacity, none: none) }
        let arrays = columns.reduce(0) { $0 + $1.arrays.count }
        overhead = 64 * (arrays + 4) + 8 * arrays
    }

    /// Tests set it low, to get streams of many blocks that are small all the same.
    var target = StreamLimits.blockTarget

    var isFull: Bool { rawBytes >= target || count >= StreamLimits.blockRecords }

    func endRecord() throws {
        let total = columnBytes
        guard total - rawBytes <= StreamLimits.recordBytes else {
            throw InputError("the record has \(total - rawBytes) bytes; a record of the stream holds at most \(StreamLimits.recordBytes)")
        }
        // Only blocks that somebody else divided come here: `isFull` is true long before.
        guard total + overhead <= StreamLimits.blockBytes, count < StreamLimits.blockRecords else {
            throw InputError("the block holds more than \(StreamLimits.blockRecords) records or \(StreamLimits.blockBytes) bytes with it")
        }
        end(records: 1)
    }

    /// Ends records that are to be added to another builder, which holds them to the limits.
    public func end(records: Int) {
        rawBytes = columnBytes
        count += records
        precondition(columns.allSatisfy { $0.records == count }, "a record type filled a column not exactly once")
    }

    private var columnBytes: Int { columns.reduce(0) { $0 + $1.rawBytes } }

    /// The longest run of another builder's records, from `first` on, with which the block surely stays open.
    func mostThatFit(of other: BlockBuilder, from first: Int, _ arrays: [ColumnArrays]) -> Range<Int> {
        // Not `rawBytes`, which does not count the offsets that an empty block begins with.
        let taken = columnBytes
        func fits(_ end: Int) -> Bool {
            guard count + end - first < StreamLimits.blockRecords else { return false }
            var bytes = taken
            for column in arrays where bytes < target { bytes += column.mostBytes(first ..< end) }
            return bytes < target
        }
        if fits(other.count) { return first ..< other.count }
        // The first that does not fit, between two bounds.
        var least = first + 1, most = other.count
        while least < most {
            let middle = (least + most) / 2
            if fits(middle) { least = middle + 1 } else { most = middle }
        }
        return first ..< least - 1
    }

    public func removeAll() {
        columns.forEach { $0.removeAll() }
        rawBytes = 0
        count = 0
    }

    /// The payload: directory, then each array on 64 bytes.
    func payload() -> RawBuffer {
        let arrays = columns.flatMap(\.arrays)
        let payload = RawBuffer(capacity: rawBytes + overhead)
        for array in arrays { payload.append(UInt64(array.count).littleEndian) }
        payload.pad()
        for array in arrays {
            payload.append(array.bytes)
            payload.pad()
        }
        return payload
    }

    /// Adds a record in the form of `Block.append(record:to:)`, of the same columns.
    func add(record bytes: UnsafeRawBufferPointer) {
        var cursor = RecordCursor(bytes)
        columns.forEach { $0.add(from: &cursor) }
    }

    /// The arrays of every column as they stand, until something is added.
    var current: [ColumnArrays] { columns.map(\.current) }

    /// Adds some records of such arrays of the same columns.
    func add(_ records: Range<Int>, of arrays: [ColumnArrays]) {
        for column in columns.indices { columns[column].add(records, of: arrays[column]) }
    }

    // MARK: Adding one record's value of a column

    /// The values of some records where they lie in a column of the same form.
    public func add(_ records: Range<Int>, of arrays: ColumnArrays, to column: Int) {
        let own = schema.columns[column]
        precondition(own.type == arrays.type && own.depth == arrays.depth && own.meaning == arrays.meaning, "column \(column) has another form")
        columns[column].add(records, of: arrays)
    }

    /// Lists of numbers that lie one behind the other, by where each ends.
    public func add<Value: BitwiseCopyable>(flat values: [Value], ends: [Int], to column: Int) {
        columns[column].add(flat: values, ends: ends)
    }

    public func add<Value: BitwiseCopyable>(number value: Value, to column: Int) {
        columns[column].add(number: value)
    }

    public func add<Value: BitwiseCopyable>(list values: [Value], to column: Int) {
        columns[column].add(list: values)
    }

    /// A list of numbers of the column's size, as bytes.
    func add(list bytes: UnsafeRawBufferPointer, to column: Int) { columns[column].add(list: bytes) }

    /// A list whose last number may stand apart.
    func add<Values: Collection>(list values: Values, last: Values.Element? = nil, to column: Int) where Values.Element: BitwiseCopyable {
        columns[column].add(list: values, last: last)
    }

    /// A list of zeros, and a list of so many empty lists.
    func add(zeros count: Int, to column: Int) { columns[column].add(list: repeatElement(UInt32(0), count: count), last: nil) }

    func add(emptyLists count: Int, to column: Int) { columns[column].add(emptyLists: count) }

    /// The first `records` records of a column of one level less, as the list of one record.
    func add(nested arrays: ColumnArrays, records: Int, to column: Int) { columns[column].add(nested: arrays, records: records) }

    /// The inner lists of the first `records` records of a column of the same form, as those of one record.
    func add(joined arrays: ColumnArrays, records: Int, to column: Int) { columns[column].add(joined: arrays, records: records) }

    public func add<Value: BitwiseCopyable>(lists values: [[Value]], to column: Int) {
        columns[column].add(lists: values)
    }

    public func add(text: Text, to column: Int) { columns[column].add(list: text.bytes) }

    public func add(texts: some Sequence<Text>, to column: Int) { columns[column].add(texts: texts) }

    public func add(name: Text, to column: Int) { columns[column].add(name: name) }

    public func add(names: some Sequence<Text>, to column: Int) { columns[column].add(names: names) }

    public func add(nameLists: some Sequence<[Text]>, to column: Int) { columns[column].add(nameLists: nameLists) }
}
