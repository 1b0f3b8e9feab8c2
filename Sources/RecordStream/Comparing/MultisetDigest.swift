import Checksums

/// What a set of records is, whatever their order, blocks, codec and provenance: their number, and the sum modulo 2^256 of their digests (`RecordDigest`, read as
/// little-endian numbers). Records that stand twice count twice.
///
/// Two sets that differ by accident have different digests. It is no signature: somebody who may choose the records can make two sets with one sum.
public struct MultisetDigest: Sendable, Equatable {
    public private(set) var count = 0
    /// The least significant word first.
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    public init() {}

    public mutating func add(_ digest: [UInt8]) {
        count += 1
        digest.withUnsafeBytes { bytes in
            func word(_ number: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: 8 * number, as: UInt64.self).littleEndian }
            add((word(0), word(1), word(2), word(3)))
        }
    }

    public mutating func add(_ other: MultisetDigest) {
        count += other.count
        add(other.words)
    }

    private mutating func add(_ more: (UInt64, UInt64, UInt64, UInt64)) {
        func sum(_ a: UInt64, _ b: UInt64, _ carry: inout UInt64) -> UInt64 {
            let (first, over) = a.addingReportingOverflow(b), (second, overAgain) = first.addingReportingOverflow(carry)
            carry = over || overAgain ? 1 : 0
            return second
        }
        var carry: UInt64 = 0
        words.0 = sum(words.0, more.0, &carry)
        words.1 = sum(words.1, more.1, &carry)
        words.2 = sum(words.2, more.2, &carry)
        words.3 = sum(words.3, more.3, &carry)
    }

    public static func == (a: MultisetDigest, b: MultisetDigest) -> Bool { a.count == b.count && a.words == b.words }

    /// The sum's 32 bytes, least significant first, as 64 hexadecimal digits.
    public var hexadecimalSum: String {
        hexadecimal([words.0, words.1, words.2, words.3].flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } })
    }
}

extension RecordStreamReader {
    /// Reads the rest of the stream to its end mark and digests its records, held to the rules of their kind, on `threads` threads.
    public func multisetDigest(threads: Int) throws -> MultisetDigest {
        let digester = try RecordDigest(head.schema)
        var total = MultisetDigest()
        try mapBlocks(threads: threads) { block in
            var part = MultisetDigest()
            for index in 0 ..< block.count { part.add(digester.digest(of: try block.recordBytes(index))) }
            return part
        } consume: { total.add($0) }
        return total
    }
}
