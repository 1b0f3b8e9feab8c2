import JSON
import RecordStream
import SystemIO

/// JSON strings, one a line, to JSON arrays of token ids, and back.
public struct LineTokenizer: Sendable {
    public let tokenizer: Tokenizer

    public init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

    private final class State {
        let parser = JSONParser()
        let scratch = EncodingScratch()
        var ids: [UInt32] = []
    }

    /// Every line's ids, as `[1,2,3]` and a line end, on `workers` threads, in order. Nothing is put around the texts.
    public func encode(_ source: any ByteSource, special: LiteralSpecialTokens, workers: Int, write: ([UInt8]) throws -> Void) throws -> EncodingScratch.Counts {
        var counts = EncodingScratch.Counts()
        try eachBatch(source, workers, { state, cursor, output in
            guard let text = cursor.stringBytes else { throw InputError("expected a JSON string, found \(cursor.typeName)") }
            state.ids.removeAll(keepingCapacity: true)
            try tokenizer.encode(text, special: special, into: &state.ids, scratch: state.scratch)
            Self.write(state.ids, to: &output)
        }, write: { counts += $1; try write($0) })
        return counts
    }

    /// Every line's text, as a JSON string and a line end; what is not UTF-8 becomes U+FFFD.
    public func decode(_ source: any ByteSource, skippingSpecial: Bool, workers: Int, write: ([UInt8]) throws -> Void) throws {
        try eachBatch(source, workers, { state, cursor, output in
            guard let elements = cursor.elements else { throw InputError("expected a JSON array of token ids, found \(cursor.typeName)") }
            state.ids.removeAll(keepingCapacity: true)
            for element in elements {
                guard let id = element.unsigned.flatMap({ UInt32(exactly: $0) }) else { throw InputError("expected token ids, found \(element.found)") }
                state.ids.append(id)
            }
            var writer = JSONWriter()
            try writer.write(Text(tokenizer.decodeText(state.ids, skippingSpecial: skippingSpecial)))
            output += writer.bytes
            output.append(0x0A)
        }, write: { bytes, _ in try write(bytes) })
    }

    private func eachBatch(_ source: any ByteSource, _ workers: Int, _ line: @escaping @Sendable (State, JSONCursor, inout [UInt8]) throws -> Void,
                           write: ([UInt8], EncodingScratch.Counts) throws -> Void) throws {
        let reader = LineReader(source), name = source.name
        try orderedMap(workers: workers, produce: { try reader.nextBatch() }, makeState: { State() }, transform: { state, batch -> ([UInt8], EncodingScratch.Counts) in
            var output: [UInt8] = []
            state.scratch.counts = .init()
            for (index, text) in batch.lines.enumerated() {
                let place = "\(name): line \(batch.first + index)"
                do { try state.parser.read(text) { try line(state, $0, &output) } } catch let error as JSONError {
                    // The line is the file's, not the parser's, which sees one line only.
                    throw InputError("\(place)\(error.column.map { ", column \($0)" } ?? ""): \(error.message)", status: error.isOutOfMemory ? .internalError : .invalidData)
                } catch {
                    throw InputError("\(place): \(error)")
                }
            }
            return (output, state.scratch.counts)
        }, consume: { output, counts in try write(output, counts) })
    }

    static func write(_ ids: [UInt32], to output: inout [UInt8]) {
        output.append(UInt8(ascii: "["))
        for (index, id) in ids.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            append(id, to: &output)
        }
        output.append(UInt8(ascii: "]"))
        output.append(0x0A)
    }

    /// Decimal digits.
    @inline(__always)
    private static func append(_ id: UInt32, to output: inout [UInt8]) {
        var divisor: UInt32 = 1
        while id / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            output.append(UInt8(truncatingIfNeeded: 0x30 + id / divisor % 10))
            divisor /= 10
        }
    }
}
