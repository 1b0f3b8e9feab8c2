import Glibc

/// Where a record stands in the inputs; what it says of itself is what messages begin with.
public struct RecordPlace: Sendable, Equatable, CustomStringConvertible {
    /// What a record is in this input, and so what `number` counts.
    public enum Unit: String, Sendable { case line, element }

    /// Number of the input, from 1.
    public var input: Int
    public var name: String
    public var unit: Unit
    /// Number of the line, or of the element of a JSON array, in the input, from 1.
    public var number: Int
    /// Where the record begins in the decoded input.
    public var offset: Int

    public init(input: Int, name: String, unit: Unit, number: Int, offset: Int) {
        self.input = input
        self.name = name
        self.unit = unit
        self.number = number
        self.offset = offset
    }

    public var description: String { "\(name): \(unit.rawValue) \(number)" }
}

/// Some whole records of one input, as bytes: the portion of work that goes to a thread.
public struct InputChunk: Sendable {
    /// From the first of them on; what follows them in memory is the next chunk's.
    var bytes: ArraySlice<UInt8>
    var first: RecordPlace
    /// Bounds of the elements of a JSON array; nil where records are lines.
    var elements: [Range<Int>]?

    public var byteCount: Int { bytes.count }
    /// Number of the input, from 1.
    public var input: Int { first.input }

    /// Number of the line that the input ends in without a line feed, as it does when it was cut; nil for any other chunk.
    public var unendedLine: Int? {
        guard elements == nil, let last = bytes.last, last != 0x0A else { return nil }
        return first.number + bytes.count { $0 == 0x0A }
    }

    /// Calls `body` for every record that is not blank, in order, with its bytes (no line feed), how many bytes of the chunk stand behind them, and its place.
    public func forEachRecord(_ body: (UnsafeBufferPointer<UInt8>, Int, RecordPlace) throws -> Void) rethrows {
        try bytes.withUnsafeBufferPointer { buffer in
            var place = first
            if let elements {
                for range in elements {
                    place.offset = first.offset + range.lowerBound
                    try body(UnsafeBufferPointer(rebasing: buffer[range]), buffer.count - range.upperBound, place)
                    place.number += 1
                }
                return
            }
            guard let base = buffer.baseAddress else { return }
            var start = 0
            while start < buffer.count {
                let feed = memchr(base + start, 0x0A, buffer.count - start)
                let end = feed.map { UnsafeRawPointer($0) - UnsafeRawPointer(base) } ?? buffer.count
                let line = UnsafeBufferPointer(rebasing: buffer[start..<end])
                place.offset = first.offset + start
                if !InputChunk.isBlank(line) { try body(line, buffer.count - end, place) }
                place.number += 1
                start = end + 1
            }
        }
    }

    static func isBlank(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        for byte in bytes where byte != 0x20 && byte != 0x09 && byte != 0x0D && byte != 0x0A { return false }
        return true
    }
}
