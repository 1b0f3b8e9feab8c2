import SystemIO

/// A record where it lies in a block of any kind.
public struct BlockRecord {
    public let block: Block
    public let index: Int

    /// Its number in the stream, from 0.
    public var number: Int { block.firstRecord + index }

    /// See `Block.append(record:to:)`; the record was held to the rules of its kind.
    public func bytes() throws -> [UInt8] { try block.recordBytes(index) }
}

/// Reads records of any kind, one at a time. After an error, every further call throws it again: no record is skipped.
public final class AnyRecordReader {
    public let stream: RecordStreamReader
    private var block: Block?
    private var position = 0

    public init(_ stream: RecordStreamReader) { self.stream = stream }

    /// The next record, or nil after the end mark.
    public func next() throws -> BlockRecord? {
        while true {
            if let block, position < block.count {
                position += 1
                return BlockRecord(block: block, index: position - 1)
            }
            block = nil
            guard let more = try stream.nextBlock() else { return nil }
            block = more
            position = 0
        }
    }
}
