import Glibc
import JSON

/// The growing arrays of one column.
final class ColumnBuilder {
    // Offsets wrap around only in a record far above the limit, which `endRecord` refuses.
    private let column: Column
    private let outer = RawBuffer()
    private let inner = RawBuffer()
    private let values = RawBuffer()
    private let dictionaryOffsets = RawBuffer()
    private let dictionaryBytes = RawBuffer()
    /// Entries of the dictionary, and the numbers of those that are looked up by a hash.
    private var names: UInt32 = 0
    private var numbers: [Text: UInt32] = [:]
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
        names = 0
        numbers.removeAll(keepingCapacity: true)
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

    func add(texts: some Sequence<Text>) {
        check(UInt8.self, depth: 2)
        for text in texts {
            text.bytes.withUnsafeBytes { values.append($0) }
            inner.append(UInt32(truncatingIfNeeded: values.count))
            lists &+= 1
        }
        outer.append(lists)
        records += 1
    }

    func add(name: Text) { add(number: entry(name)) }

    func add(names: some Sequence<Text>) {
        check(UInt32.self, depth: 1)
        for name in names { values.append(entry(name)) }
        outer.append(UInt32(truncatingIfNeeded: values.count / 4))
        records += 1
    }

    func add(nameLists: some Sequence<[Text]>) {
        check(UInt32.self, depth: 2)
        for names in nameLists {
            for name in names { values.append(entry(name)) }
            inner.append(UInt32(truncatingIfNeeded: values.count / 4))
            lists &+= 1
        }
        outer.append(lists)
        records += 1
    }

    /// The first entries are compared one by one: most dictionaries hold a few models or dimensions, and a hash costs more than that.
    private static let fewNames: UInt32 = 32

    /// The dictionary's number for `text`, a new one when it is new in this block.
    private func entry(_ text: Text) -> UInt32 {
        if let known = text.bytes.withUnsafeBytes(fewEntry) ?? numbers[text] { return known }
        let entry = names
        names &+= 1
        if entry >= ColumnBuilder.fewNames { numbers[text] = entry }
        text.bytes.withUnsafeBytes { dictionaryBytes.append($0) }
        dictionaryOffsets.append(UInt32(truncatingIfNeeded: dictionaryBytes.count))
        return entry
    }

    private func fewEntry(_ text: UnsafeRawBufferPointer) -> UInt32? {
        let offsets = dictionaryOffsets.bytes.assumingMemoryBound(to: UInt32.self), bytes = dictionaryBytes.bytes
        for entry in 0 ..< Int(min(names, ColumnBuilder.fewNames)) where Int(offsets[entry + 1] &- offsets[entry]) == text.count {
            guard let base = text.baseAddress, let known = bytes.baseAddress else { return UInt32(entry) }
            if memcmp(known + Int(offsets[entry]), base, text.count) == 0 { return UInt32(entry) }
        }
        return nil
    }

    /// One record's value, in the form of `Block.append(record:to:)`.
    func add(from cursor: inout RecordCursor) {
        switch column.depth {
        case 0: addValues(1, &cursor)
        case 1:
            addValues(cursor.count(), &cursor)
            outer.append(UInt32(truncatingIfNeeded: values.count / column.type.size))
        default:
            let items = cursor.count()
            for _ in 0 ..< items {
                addValues(cursor.count(), &cursor)
                inner.append(UInt32(truncatingIfNeeded: values.count / column.type.size))
            }
            lists &+= UInt32(truncatingIfNeeded: items)
            outer.append(lists)
        }
        records += 1
    }

    private func addValues(_ count: Int, _ cursor: inout RecordCursor) {
        guard column.meaning == .dictionary else { return values.append(cursor.bytes(count * column.type.size)) }
        for _ in 0 ..< count { values.append(entry(Text(Array(cursor.bytes(cursor.count()))))) }
    }

    private func check<Value>(_ type: Value.Type, depth: Int) {
        precondition(MemoryLayout<Value>.size == column.type.size && depth == column.depth, "column \(column.name) takes \(column.type) of depth \(column.depth)")
    }
}
