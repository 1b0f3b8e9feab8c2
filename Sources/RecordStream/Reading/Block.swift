import JSON
import SystemIO

/// The records of one DATA frame, column by column, in memory as on disk.
///
/// `init` checks the whole structure (array sizes, offsets, dictionaries, texts, padding), so that every access afterwards is in bounds.
public final class Block: @unchecked Sendable {
    public let schema: Schema
    /// The stream's name, for messages.
    public let name: String
    /// The number of the block's first record in its stream.
    public let firstRecord: Int
    public let count: Int
    /// The raw payload: memory that `owner` keeps, on a 64-byte boundary and never written again.
    private let payload: UnsafeRawBufferPointer
    private let owner: AnyObject
    /// Byte range of every array in `payload`.
    private let arrays: [Range<Int>]
    /// For each column its first array.
    private let firstArray: [Int]
    /// The arrays of every column.
    private(set) var columns: [ColumnArrays] = []
    /// Columns whose texts have lone surrogates.
    private var withSurrogates: Set<Int> = []

    init(schema: Schema, name: String, firstRecord: Int, count: Int, payload: UnsafeRawBufferPointer, owner: AnyObject) throws {
        self.schema = schema
        self.name = name
        self.firstRecord = firstRecord
        self.count = count
        self.payload = payload
        self.owner = owner
        arrays = try Block.layOut(payload, arrays: schema.arrayCount)
        var next = 0
        firstArray = schema.columns.map { column in
            defer { next += column.arrayCount }
            return next
        }
        for (index, column) in schema.columns.enumerated() {
            do { try check(column, index) } catch let error as InputError { throw error.at("column \(column.name)") }
        }
        try checkNames()
        columns = schema.columns.indices.map(makeArrays)
    }

    /// Holds what a record's dictionary texts come to, each as often as it is used, to the limit of a record: one long text behind a million indices would cost its
    /// readers any memory.
    private func checkNames() throws {
        let columns = schema.columns.indices.filter { schema.columns[$0].meaning == .dictionary }
        let most = columns.reduce(0.0) { sum, column in
            let values = arrays[firstArray[column] + schema.columns[column].depth].count / 4, text = arrays[firstArray[column] + schema.columns[column].depth + 2].count
            return sum + Double(values) * Double(text)
        }
        // So it is in any stream that a person made.
        guard most > Double(StreamLimits.recordBytes) else { return }
        let entries = columns.map { words($0, schema.columns[$0].depth) }
        for record in 0 ..< count {
            var bytes = 0
            for (column, entries) in zip(columns, entries) {
                for at in valueRange(column, record) { bytes += dictionaryText(column, Int(entries[at])).count }
            }
            guard bytes <= StreamLimits.recordBytes else {
                throw InputError("record \(record) of the block has names of \(bytes) bytes; a record of the stream holds at most \(StreamLimits.recordBytes)")
            }
        }
    }

    /// Which values of a column are a record's, across its lists.
    private func valueRange(_ column: Int, _ record: Int) -> Range<Int> {
        switch schema.columns[column].depth {
        case 0: return record ..< record + 1
        case 1: return range(column, record)
        default:
            let lists = range(column, record), offsets = words(column, 1)
            return Int(offsets[lists.lowerBound]) ..< Int(offsets[lists.upperBound])
        }
    }

    /// Reads the directory (one 64-bit length an array) and checks that the arrays fill the payload exactly, with zeros between them.
    private static func layOut(_ bytes: UnsafeRawBufferPointer, arrays count: Int) throws -> [Range<Int>] {
        var position = (8 * count).aligned
        guard bytes.count >= position else { throw InputError("the block is too short for its \(count) arrays") }
        func isZero(_ range: Range<Int>) -> Bool { bytes[range].allSatisfy { $0 == 0 } }
        guard isZero(8 * count ..< position) else { throw InputError("padding of the block's directory is not zero") }
        var ranges: [Range<Int>] = []
        ranges.reserveCapacity(count)
        for array in 0 ..< count {
            let length = bytes.loadUnaligned(fromByteOffset: 8 * array, as: UInt64.self).littleEndian
            guard length <= UInt64(bytes.count - position) else { throw InputError("array \(array) of the block reaches beyond its end") }
            let end = position + Int(length)
            guard end.aligned <= bytes.count, isZero(end ..< end.aligned) else { throw InputError("padding after array \(array) of the block is not zero") }
            ranges.append(position ..< end)
            position = end.aligned
        }
        guard position == bytes.count else { throw InputError("the block has \(bytes.count - position) bytes that belong to no array") }
        return ranges
    }

    private func check(_ column: Column, _ index: Int) throws {
        var expected = count
        for level in 0 ..< column.depth {
            expected = try checkOffsets(index, level, count: expected, of: level == 0 ? "records" : "lists")
        }
        let values = arrays[firstArray[index] + column.depth]
        guard values.count == expected * column.type.size else {
            throw InputError("\(values.count) bytes of values, expected \(expected * column.type.size)")
        }
        switch column.meaning {
        case .number: break
        case .text: try checkText(index, bytes(values), boundaries: words(index, column.depth - 1))
        case .dictionary: try checkDictionary(column, index)
        }
    }

    private func checkDictionary(_ column: Column, _ index: Int) throws {
        let (offsets, bytes) = (words(index, column.depth + 1), bytes(arrays[firstArray[index] + column.depth + 2]))
        guard !offsets.isEmpty else { throw InputError("the dictionary has no offsets") }
        let entries = offsets.count - 1
        guard try checkOffsets(index, column.depth + 1, count: entries, of: "dictionary entries") == bytes.count else {
            throw InputError("the dictionary's offsets do not end where its text does")
        }
        try checkText(index, bytes, boundaries: offsets)
        // Numbered by first use and without doubles: the same records have the same bytes.
        var used: UInt32 = 0
        for entry in words(index, column.depth) {
            guard entry < entries else { throw InputError("an index beyond the dictionary's \(entries) entries") }
            guard entry <= used else { throw InputError("dictionary entry \(entry) is used before entry \(used)") }
            if entry == used { used += 1 }
        }
        guard used == entries else { throw InputError("dictionary entry \(used) is never used") }
        guard Set((0 ..< entries).map { Array(dictionaryText(index, $0)) }).count == entries else { throw InputError("two dictionary entries are equal") }
    }

    /// Array `number` of column `column` as offsets of `count` things; returns where the last one ends.
    private func checkOffsets(_ column: Int, _ number: Int, count: Int, of what: String) throws -> Int {
        let range = arrays[firstArray[column] + number], offsets = words(column, number)
        guard range.count == 4 * (count + 1) else { throw InputError("\(range.count) bytes of offsets for \(count) \(what)") }
        guard offsets[0] == 0 else { throw InputError("offsets that do not start at 0") }
        for i in 0 ..< count where offsets[i] > offsets[i + 1] { throw InputError("offsets that decrease") }
        return Int(offsets[count])
    }

    /// Each text is checked by itself: two that are well-formed can make an ill-formed one when they are joined. Where all of them together are UTF-8 and none begins inside
    /// a character, each of them is.
    private func checkText(_ column: Int, _ text: UnsafeBufferPointer<UInt8>, boundaries: UnsafeBufferPointer<UInt32>) throws {
        if isUTF8(text), boundaries.allSatisfy({ $0 == text.count || text[Int($0)] & 0xC0 != 0x80 }) { return }
        for (start, end) in zip(boundaries, boundaries.dropFirst()) {
            if let at = WTF8.firstFault(in: UnsafeBufferPointer(rebasing: text[Int(start) ..< Int(end)])) {
                throw InputError("text that is not UTF-8 (byte \(Int(start) + at) of the column)")
            }
        }
        withSurrogates.insert(column)
    }

    /// Whether every text of a column is UTF-8, without lone surrogates.
    func textsAreUTF8(_ column: Int) -> Bool { !withSurrogates.contains(column) }

    // MARK: Access by column

    private func array<Value>(_ range: Range<Int>, of type: Value.Type) -> UnsafeBufferPointer<Value> {
        UnsafeRawBufferPointer(rebasing: payload[range]).assumingMemoryBound(to: type)
    }

    private func bytes(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> { array(range, of: UInt8.self) }

    /// Array `number` of a column as 32-bit words (offsets, or dictionary indices).
    func words(_ column: Int, _ number: Int) -> UnsafeBufferPointer<UInt32> { array(arrays[firstArray[column] + number], of: UInt32.self) }

    /// Array `number` of a column.
    func bytes(_ column: Int, _ number: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: payload[arrays[firstArray[column] + number]]) }

    /// All values of a column, one after the other. Valid as long as the block is.
    public func values<Value: BitwiseCopyable>(_ column: Int, as type: Value.Type) -> UnsafeBufferPointer<Value> {
        precondition(MemoryLayout<Value>.size == schema.columns[column].type.size, "column \(column) holds another type")
        return array(arrays[firstArray[column] + schema.columns[column].depth], of: type)
    }

    /// Values `range` of a column, as bytes.
    func rawValues(_ column: Int, _ range: Range<Int>) -> UnsafeRawBufferPointer {
        let size = schema.columns[column].type.size, start = arrays[firstArray[column] + schema.columns[column].depth].lowerBound
        return UnsafeRawBufferPointer(rebasing: payload[start + range.lowerBound * size ..< start + range.upperBound * size])
    }

    /// The list of record `record` (depth 1), or which inner lists are its own (depth 2).
    public func range(_ column: Int, _ record: Int) -> Range<Int> {
        let offsets = words(column, 0)
        return Int(offsets[record]) ..< Int(offsets[record + 1])
    }

    /// The values of inner list `list` (depth 2).
    public func innerRange(_ column: Int, _ list: Int) -> Range<Int> {
        let offsets = words(column, 1)
        return Int(offsets[list]) ..< Int(offsets[list + 1])
    }

    /// Bytes of dictionary entry `entry`.
    public func dictionaryText(_ column: Int, _ entry: Int) -> UnsafeBufferPointer<UInt8> {
        let offsets = words(column, schema.columns[column].depth + 1)
        let all = bytes(arrays[firstArray[column] + schema.columns[column].depth + 2])
        return UnsafeBufferPointer(rebasing: all[Int(offsets[entry]) ..< Int(offsets[entry + 1])])
    }

    /// Bytes that a column takes in the block, offsets and dictionary included, padding not.
    func columnBytes(_ column: Int) -> Int {
        (firstArray[column] ..< firstArray[column] + schema.columns[column].arrayCount).reduce(0) { $0 + arrays[$1].count }
    }
}
