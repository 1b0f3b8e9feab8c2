import SystemIO

/// Lines of a source with their numbers, in batches for threads. A line end may be missing after the last.
public final class LineReader {
    public struct Batch: Sendable {
        /// Number of the first line, from 1.
        public var first: Int
        public var lines: [[UInt8]] = []
    }

    /// A line beyond this is refused: it is no text of one record.
    static let longestLine = 256 << 20

    private let source: any ByteSource
    private var buffer: [UInt8] = []
    private var start = 0
    private var number = 0
    private var ended = false
    private let keepsEnds: Bool

    /// - Parameter keepsEnds: a line has its line feed.
    public init(_ source: any ByteSource, keepsEnds: Bool = false) {
        self.source = source
        self.keepsEnds = keepsEnds
    }

    public var name: String { source.name }

    /// Whether there is something for the next batch without waiting for the source.
    public var isReady: Bool { ended || source.isReady || buffer[start...].contains(0x0A) }

    /// Lines of about `bytes` bytes in all, at least one; of a pipe whose lines come one by one, those that have come. Nil at the end.
    public func nextBatch(bytes: Int = 1 << 17) throws -> Batch? {
        var batch = Batch(first: number + 1), size = 0
        while size < bytes, let line = try nextLine(waits: batch.lines.isEmpty) {
            size += line.count + 1
            batch.lines.append(line)
            number += 1
        }
        return batch.lines.isEmpty ? nil : batch
    }

    /// Nil at the end, or where the rest of the line has not come yet and none `waits` for it.
    private func nextLine(waits: Bool) throws -> [UInt8]? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: 0x0A) {
                defer { start = end + 1 }
                return Array(buffer[start ..< end + (keepsEnds ? 1 : 0)])
            }
            searched = buffer.count
            if ended {
                defer { start = buffer.count }
                return start < buffer.count ? Array(buffer[start...]) : nil
            }
            guard waits || source.isReady else { return nil }
            guard buffer.count - start <= Self.longestLine else {
                throw InputError("\(source.name): line \(number + 1): more than \(Self.longestLine) bytes; is this a file of lines?")
            }
            searched -= start
            buffer.removeFirst(start)
            start = 0
            try fill()
        }
    }

    private func fill() throws {
        let old = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: 1 << 18))
        let read = try buffer.withUnsafeMutableBytes { try source.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[old...])) }
        buffer.removeLast(buffer.count - old - read)
        ended = read == 0
    }
}
