import Checksums
import SystemIO

/// A record by itself, out of its block: what sorting keeps on disk and what a record's digest is taken over.
///
/// The columns' values in the order of the schema, little-endian: of depth 0 the value; of depth 1 the number of values (u32) and the values; of depth 2 the
/// number of lists (u32) and each list as in depth 1. A dictionary's value is its text: number of bytes (u32) and the bytes. With the schema known no two records have
/// the same bytes, and a record has the same ones in every block.
extension Block {
    /// Appends record `index`: at most about twice what a record may have, since its names are held to the same limit.
    public func append(record index: Int, to bytes: inout [UInt8]) {
        for column in schema.columns.indices { append(column, index, to: &bytes) }
    }

    /// The bytes of record `index`, after it was held to the rules of its kind.
    public func recordBytes(_ index: Int) throws -> [UInt8] {
        try validate(index)
        var bytes: [UInt8] = []
        append(record: index, to: &bytes)
        return bytes
    }

    private func append(_ column: Int, _ record: Int, to bytes: inout [UInt8]) {
        switch schema.columns[column].depth {
        case 0: append(column, values: record ..< record + 1, to: &bytes)
        case 1: append(column, list: range(column, record), to: &bytes)
        default:
            let lists = range(column, record)
            bytes.append(littleEndian: UInt32(lists.count))
            for list in lists { append(column, list: innerRange(column, list), to: &bytes) }
        }
    }

    private func append(_ column: Int, list: Range<Int>, to bytes: inout [UInt8]) {
        bytes.append(littleEndian: UInt32(list.count))
        append(column, values: list, to: &bytes)
    }

    private func append(_ column: Int, values range: Range<Int>, to bytes: inout [UInt8]) {
        guard schema.columns[column].meaning == .dictionary else { return bytes.append(contentsOf: rawValues(column, range)) }
        let entries = values(column, as: UInt32.self)
        for at in range {
            let text = dictionaryText(column, Int(entries[at]))
            bytes.append(littleEndian: UInt32(text.count))
            bytes.append(contentsOf: text)
        }
    }
}

/// Walks over bytes that `Block.append(record:to:)` made.
struct RecordCursor {
    private let all: UnsafeRawBufferPointer
    private var at = 0

    init(_ bytes: UnsafeRawBufferPointer) { all = bytes }

    mutating func count() -> Int {
        defer { at += 4 }
        return Int(all.loadUnaligned(fromByteOffset: at, as: UInt32.self).littleEndian)
    }

    mutating func bytes(_ count: Int) -> UnsafeRawBufferPointer {
        defer { at += count }
        return UnsafeRawBufferPointer(rebasing: all[at ..< at + count])
    }
}

/// SHA-256 over a schema's canonical JSON and a record's bytes: the same for the same record in any stream of its kind.
public struct RecordDigest: Sendable {
    private let start: SHA256

    public init(_ schema: Schema) throws {
        var start = SHA256()
        start.update(try schema.json.canonical)
        self.start = start
    }

    /// 32 bytes.
    public func digest(of record: [UInt8]) -> [UInt8] {
        var sha = start
        sha.update(record)
        return sha.digest()
    }
}
