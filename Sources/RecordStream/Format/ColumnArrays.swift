/// The arrays of one column where they lie, in a block or in a builder: for reading values, and copying a record's, without a list of its own for each.
///
/// Valid as long as the block is, or until the builder changes. Positions are not checked: a block's arrays are sound, and whoever asks stays within its records.
public struct ColumnArrays {
    let type: ScalarType
    let depth: Int
    let meaning: Column.Meaning
    /// Depth 1 and 2: where each record's list starts and ends, of values or of inner lists.
    let outer: UnsafePointer<UInt32>?
    /// Depth 2: where each inner list starts and ends.
    let inner: UnsafePointer<UInt32>?
    let values: UnsafeRawPointer?
    /// Of a dictionary.
    let nameOffsets: UnsafePointer<UInt32>?
    let nameBytes: UnsafePointer<UInt8>?

    /// The list of a record: its values (depth 1), or which inner lists are its own (depth 2).
    @inline(__always)
    public func range(_ record: Int) -> Range<Int> { ColumnArrays.range(outer, record) }

    /// The values of an inner list.
    @inline(__always)
    public func innerRange(_ list: Int) -> Range<Int> { ColumnArrays.range(inner, list) }

    @inline(__always)
    private static func range(_ offsets: UnsafePointer<UInt32>?, _ index: Int) -> Range<Int> {
        guard let offsets else { return 0 ..< 0 }
        return Range(uncheckedBounds: (Int(offsets[index]), Int(offsets[index + 1])))
    }

    /// What a range of lists holds together, by their offsets.
    func all(of lists: Range<Int>, _ offsets: UnsafePointer<UInt32>?) -> Range<Int> {
        guard let offsets else { return 0 ..< 0 }
        return Range(uncheckedBounds: (Int(offsets[lists.lowerBound]), Int(offsets[lists.upperBound])))
    }

    /// Bytes of inner list `list` of texts.
    @inline(__always)
    public func text(_ list: Int) -> UnsafeBufferPointer<UInt8> { values(innerRange(list)) }

    /// Numbers of the column's type.
    @inline(__always)
    func values<Value: BitwiseCopyable>(_ range: Range<Int>, as type: Value.Type = Value.self) -> UnsafeBufferPointer<Value> {
        UnsafeBufferPointer(start: values.map { $0.assumingMemoryBound(to: Value.self) + range.lowerBound }, count: range.count)
    }

    /// Bytes of the dictionary text that value `at` names.
    @inline(__always)
    public func name(_ at: Int) -> UnsafeBufferPointer<UInt8> {
        guard let values, let nameOffsets, let nameBytes else { return UnsafeBufferPointer(start: nil, count: 0) }
        let entry = Int(values.assumingMemoryBound(to: UInt32.self)[at])
        return UnsafeBufferPointer(start: nameBytes + Int(nameOffsets[entry]), count: Int(nameOffsets[entry + 1] - nameOffsets[entry]))
    }

    /// Bytes that some records take in another builder, if it has none of the dictionary's texts.
    func mostBytes(_ records: Range<Int>) -> Int {
        var bytes = 0, items = records
        for offsets in [outer, inner].prefix(depth) {
            bytes += 4 * items.count
            items = all(of: items, offsets)
        }
        bytes += type.size * items.count
        return meaning == .dictionary ? items.reduce(bytes) { $0 + 4 + name($1).count } : bytes
    }

    /// Values as bytes.
    @inline(__always)
    func raw(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: values.map { $0 + range.lowerBound * type.size }, count: range.count * type.size)
    }
}

extension Block {
    /// Column `column`'s arrays; valid as long as the block is.
    public func arrays(of column: Int) -> ColumnArrays { columns[column] }

    func makeArrays(of column: Int) -> ColumnArrays {
        let kind = schema.columns[column]
        return ColumnArrays(
            type: kind.type, depth: kind.depth, meaning: kind.meaning, outer: kind.depth >= 1 ? words(column, 0).baseAddress : nil, inner: kind.depth >= 2 ? words(column, 1).baseAddress : nil,
            values: bytes(column, kind.depth).baseAddress, nameOffsets: kind.meaning == .dictionary ? words(column, kind.depth + 1).baseAddress : nil,
            nameBytes: kind.meaning == .dictionary ? bytes(column, kind.depth + 2).baseAddress?.assumingMemoryBound(to: UInt8.self) : nil)
    }
}
