import ArgumentParser
import CommandSupport
import RecordStream
import SystemIO

/// A stream's blocks: by the index where the input is a file, else one after the other.
enum BlockSource {
    case mapped(MappedStream)
    case sequential(RecordStreamReader)

    init(_ operand: String) throws {
        if operand != "-", MappedStream.canMap(operand) {
            self = .mapped(try MappedStream(path: operand))
        } else {
            self = .sequential(try RecordStreamReader(openInput(operand)))
        }
    }

    var name: String {
        switch self {
        case .mapped(let stream): stream.name
        case .sequential(let reader): reader.name
        }
    }

    var head: StreamHead {
        switch self {
        case .mapped(let stream): stream.head
        case .sequential(let reader): reader.head
        }
    }

    /// What a file is beside its records.
    func label() throws -> [UInt8] {
        guard case .mapped(let stream) = self else { throw InputError("--with-head needs a file: a pipe's end is not known before its records", status: .usage) }
        return try stream.label().line()
    }

    /// Number of records: from the end mark of a file; a pipe is read to its end.
    func countRecords() throws -> Int {
        switch self {
        case .mapped(let stream): return stream.recordCount
        case .sequential(let reader):
            while try reader.nextBlock() != nil {}
            return reader.recordsRead
        }
    }

    /// Calls `body` with every record of `range`, which may reach beyond the end. A pipe is read no further than the range needs, a file only where it lies.
    func forEach(in range: Range<Int>, _ body: (Block, Int) throws -> Void) throws {
        func visit(_ block: Block) throws {
            for record in max(range.lowerBound, block.firstRecord) ..< max(range.lowerBound, block.firstRecord, min(range.upperBound, block.firstRecord + block.count)) {
                try body(block, record - block.firstRecord)
            }
        }
        switch self {
        case .mapped(let stream):
            let range = range.clamped(to: 0 ..< stream.recordCount)
            guard !range.isEmpty else { return }
            for number in stream.blockNumber(holding: range.lowerBound) ... stream.blockNumber(holding: range.upperBound - 1) { try visit(stream.block(number)) }
        case .sequential(let reader):
            while reader.recordsRead < range.upperBound, let block = try reader.nextBlock() { try visit(block) }
        }
    }
}

/// `10:20`, `:20`, `10:`: records by number, from 0, without the end.
func parseRange(_ text: String) throws -> Range<Int> {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let start = parts[0].isEmpty ? 0 : Int(parts[0]), let end = parts[1].isEmpty ? Int.max : Int(parts[1]), start >= 0, end >= 0 else {
        throw ValidationError("--range takes two numbers with a colon between them, such as 0:10, 5: or :3, not \"\(text)\"")
    }
    guard start <= end else { throw ValidationError("--range \(text): it would end before it begins") }
    return start ..< end
}
