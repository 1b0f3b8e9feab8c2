import JSON
import SystemIO

/// JSON strings, one a line, to JSON arrays of token ids, and back.
public struct LineTokenizer: Sendable {
    public let tokenizer: Tokenizer

    public init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

    private final class State {
        let scratch: EncodingScratch
        var ids: [UInt32] = []

        init(shared: LearntPieces? = nil) { scratch = EncodingScratch(shared: shared) }
    }

    /// Every line's ids, as `[1,2,3]` and a line end, on `workers` threads, in order. Nothing is put around the texts. `pause` is called when all lines that have come
    /// are written and more are to be waited for.
    public func encode(
        _ source: any ByteSource, special: LiteralSpecialTokens, workers: Int, write: ([UInt8]) throws -> Void, pause: () throws -> Void = {}
    ) throws -> EncodingScratch.Counts {
        var counts = EncodingScratch.Counts()
        let shared = workers > 1 ? LearntPieces() : nil
        try eachLine(of: source, workers: workers, makeState: { State(shared: shared) }, line: { state, cursor, output in
            guard let text = cursor.stringBytes else { throw InputError("expected a JSON string, found \(cursor.typeName)") }
            state.ids.removeAll(keepingCapacity: true)
            try tokenizer.encode(text, special: special, into: &state.ids, scratch: state.scratch)
            Self.write(state.ids, to: &output)
        }, tally: { state in
            state.scratch.exchange()
            defer { state.scratch.counts = .init() }
            return state.scratch.counts
        }, write: { counts += $1; try write($0) }, pause: pause)
        return counts
    }

    /// Every line's text, as a JSON string and a line end; what is not UTF-8 becomes U+FFFD. `pause` as in encoding.
    public func decode(_ source: any ByteSource, skippingSpecial: Bool, workers: Int, write: ([UInt8]) throws -> Void, pause: () throws -> Void = {}) throws {
        try eachLine(of: source, workers: workers, makeState: { State() }, line: { state, cursor, output in
            guard let elements = cursor.elements else { throw InputError("expected a JSON array of token ids, found \(cursor.typeName)") }
            state.ids.removeAll(keepingCapacity: true)
            for element in elements {
                guard let id = element.unsigned.flatMap({ UInt32(exactly: $0) }) else { throw InputError("expected token ids, found \(element.found)") }
                state.ids.append(id)
            }
            output += try JSONWriter.line(Text(tokenizer.decodeText(state.ids, skippingSpecial: skippingSpecial)))
        }, tally: { _ in }, write: { bytes, _ in try write(bytes) }, pause: pause)
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
