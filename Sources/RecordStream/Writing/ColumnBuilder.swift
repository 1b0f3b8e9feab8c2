import Glibc
import JSON

/// The growing arrays of one column.
final class ColumnBuilder {
    // Offsets wrap around only in a record far above the limit, which `endRecord` refuses.
    private let column: Column
    private let outer, inner, values, dictionaryOffsets, dictionaryBytes: RawBuffer
    /// Without offsets or a dictionary the buffers for them are one that stays empty.
    private let hasOuter, hasInner, hasDictionary: Bool
    /// The numbers of those entries of the dictionary that are looked up by a hash.
    private var numbers: [Text: UInt32] = [:]

    /// - Parameters:
    ///   - capacity: bytes that each array has room for from the start.
    ///   - none: an empty buffer for what the column does not have.
    init(_ column: Column, capacity: Int, none: RawBuffer) {
        self.column = column
        (hasOuter, hasInner, hasDictionary) = (column.depth >= 1, column.depth >= 2, column.meaning == .dictionary)
        func buffer(_ isThere: Bool = true) -> RawBuffer { isThere ? RawBuffer(capacity: capacity) : none }
        (outer, inner, values, dictionaryOffsets, dictionaryBytes) = (buffer(hasOuter), buffer(hasInner), buffer(), buffer(hasDictionary), buffer(hasDictionary))
        start()
    }

    private func start() {
        if hasOuter { outer.append(UInt32(0)) }
        if hasInner { inner.append(UInt32(0)) }
        if hasDictionary { dictionaryOffsets.append(UInt32(0)) }
    }

    func removeAll() {
        outer.removeAll()
        inner.removeAll()
        values.removeAll()
        dictionaryOffsets.removeAll()
        dictionaryBytes.removeAll()
        if !numbers.isEmpty { numbers.removeAll(keepingCapacity: true) }
        start()
    }

    var arrays: [RawBuffer] {
        (hasOuter ? [outer] : []) + (hasInner ? [inner] : []) + [values] + (hasDictionary ? [dictionaryOffsets, dictionaryBytes] : [])
    }

    var records: Int { column.depth == 0 ? values.count / column.type.size : outer.count / 4 - 1 }
    private var lists: UInt32 { UInt32(truncatingIfNeeded: inner.count / 4 - 1) }
    /// Entries of the dictionary.
    private var names: UInt32 { UInt32(truncatingIfNeeded: dictionaryOffsets.count / 4 - 1) }

    var rawBytes: Int { outer.count + inner.count + values.count + dictionaryOffsets.count + dictionaryBytes.count }

    func add<Value: BitwiseCopyable>(number value: Value) {
        check(Value.self, depth: 0)
        values.append(value)
    }

    func add<Value: BitwiseCopyable>(list: [Value]) {
        check(Value.self, depth: 1)
        list.withUnsafeBytes { values.append($0) }
        outer.append(UInt32(truncatingIfNeeded: values.count / column.type.size))
    }

    func add(list bytes: UnsafeRawBufferPointer) {
        check(depth: 1)
        values.append(bytes)
        outer.append(UInt32(truncatingIfNeeded: values.count / column.type.size))
    }

    func add<Values: Collection>(list: Values, last: Values.Element?) where Values.Element: BitwiseCopyable {
        check(Values.Element.self, depth: 1)
        for value in list { values.append(value) }
        if let last { values.append(last) }
        outer.append(UInt32(truncatingIfNeeded: values.count / column.type.size))
    }

    func add(emptyLists count: Int) {
        check(depth: 2)
        for _ in 0 ..< count { inner.append(UInt32(truncatingIfNeeded: values.count / column.type.size)) }
        outer.append(lists)
    }

    func add(nested other: ColumnArrays, records: Int) {
        check(depth: other.depth + 1)
        check(other)
        if other.depth == 0 {
            addValues(0 ..< records, of: other)
            outer.append(UInt32(truncatingIfNeeded: values.count / column.type.size))
        } else {
            inner.append(shifted: other.outer, 0 ..< records, by: values.count / column.type.size)
            addValues(other.all(of: 0 ..< records, other.outer), of: other)
            outer.append(lists)
        }
    }

    func add(joined other: ColumnArrays, records: Int) {
        check(depth: 2)
        check(other)
        let items = other.all(of: 0 ..< records, other.outer)
        inner.append(shifted: other.inner, items, by: values.count / column.type.size)
        addValues(other.all(of: items, other.inner), of: other)
        outer.append(lists)
    }

    func add<Value: BitwiseCopyable>(lists items: [[Value]]) {
        check(Value.self, depth: 2)
        for item in items {
            item.withUnsafeBytes { values.append($0) }
            inner.append(UInt32(truncatingIfNeeded: values.count / column.type.size))
        }
        outer.append(lists)
    }

    func add(texts: some Sequence<Text>) {
        check(UInt8.self, depth: 2)
        for text in texts {
            text.bytes.withUnsafeBytes { values.append($0) }
            inner.append(UInt32(truncatingIfNeeded: values.count))
        }
        outer.append(lists)
    }

    func add(name: Text) { add(number: entry(name)) }

    func add(names: some Sequence<Text>) {
        check(UInt32.self, depth: 1)
        for name in names { values.append(entry(name)) }
        outer.append(UInt32(truncatingIfNeeded: values.count / 4))
    }

    func add(nameLists: some Sequence<[Text]>) {
        check(UInt32.self, depth: 2)
        for names in nameLists {
            for name in names { values.append(entry(name)) }
            inner.append(UInt32(truncatingIfNeeded: values.count / 4))
        }
        outer.append(lists)
    }

    /// Lists of numbers that lie one behind the other, by where each ends.
    func add<Value: BitwiseCopyable>(flat items: [Value], ends: [Int]) {
        check(Value.self, depth: 2)
        let shift = values.count / column.type.size
        items.withUnsafeBytes { values.append(UnsafeRawBufferPointer(rebasing: $0[..<((ends.last ?? 0) * column.type.size)])) }
        for end in ends { inner.append(UInt32(truncatingIfNeeded: shift + end)) }
        outer.append(lists)
    }

    /// The values of some records in a column of the same form.
    func add(_ records: Range<Int>, of other: ColumnArrays) {
        guard column.depth > 0 else { return addValues(records, of: other) }
        outer.append(shifted: other.outer, records, by: column.depth == 1 ? values.count / column.type.size : inner.count / 4 - 1)
        var items = other.all(of: records, other.outer)
        if column.depth == 2 {
            inner.append(shifted: other.inner, items, by: values.count / column.type.size)
            items = other.all(of: items, other.inner)
        }
        addValues(items, of: other)
    }

    private func addValues(_ range: Range<Int>, of other: ColumnArrays) {
        guard column.meaning == .dictionary else { return values.append(other.raw(range)) }
        for at in range { values.append(entry(UnsafeRawBufferPointer(other.name(at)))) }
    }

    /// As they stand, until something is added.
    var current: ColumnArrays {
        func words(_ buffer: RawBuffer) -> UnsafePointer<UInt32> { UnsafePointer(buffer.base.assumingMemoryBound(to: UInt32.self)) }
        return ColumnArrays(
            type: column.type, depth: column.depth, meaning: column.meaning, outer: hasOuter ? words(outer) : nil, inner: hasInner ? words(inner) : nil,
            values: UnsafeRawPointer(values.base), nameOffsets: hasDictionary ? words(dictionaryOffsets) : nil,
            nameBytes: hasDictionary ? UnsafePointer(dictionaryBytes.base.assumingMemoryBound(to: UInt8.self)) : nil)
    }

    /// The first entries are compared one by one: most dictionaries hold a few models or dimensions, and a hash costs more than that.
    private static let fewNames: UInt32 = 32

    /// The dictionary's number for `text`, a new one when it is new in this block.
    private func entry(_ text: Text) -> UInt32 { text.bytes.withUnsafeBytes(entry) }

    private func entry(_ text: UnsafeRawBufferPointer) -> UInt32 {
        if let known = fewEntry(text) { return known }
        if names >= ColumnBuilder.fewNames, let known = numbers[Text(Array(text))] { return known }
        let entry = names
        if entry >= ColumnBuilder.fewNames { numbers[Text(Array(text))] = entry }
        dictionaryBytes.append(text)
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
            outer.append(lists)
        }
    }

    private func addValues(_ count: Int, _ cursor: inout RecordCursor) {
        guard column.meaning == .dictionary else { return values.append(cursor.bytes(count * column.type.size)) }
        for _ in 0 ..< count { values.append(entry(cursor.bytes(cursor.count()))) }
    }

    private func check<Value>(_ type: Value.Type, depth: Int) {
        precondition(MemoryLayout<Value>.size == column.type.size && depth == column.depth, "column \(column.name) takes \(column.type) of depth \(column.depth)")
    }

    private func check(_ other: ColumnArrays) { precondition(column.type == other.type && column.meaning == other.meaning, "column \(column.name) takes other values") }

    private func check(depth: Int) { precondition(depth == column.depth, "column \(column.name) has depth \(column.depth)") }
}
