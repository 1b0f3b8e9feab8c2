import JSON
import RecordStream
import SystemIO

/// Does something for each line of JSON on `workers` threads, and hands on what was written, in order.
///
/// - Parameters:
///   - limits: what a line's JSON may be.
///   - line: reads a line's value and writes to the output; an error gets the line's place.
///   - tally: what is to be told of a batch of lines, taken from the state.
///   - pause: all that has come is written, and the source has no more for now.
func eachLine<State, Tally: Sendable>(
    of source: any ByteSource, limits: JSONLimits = JSONLimits(), workers: Int, makeState: @escaping @Sendable () -> State, line: @escaping @Sendable (State, JSONCursor, inout [UInt8]) throws -> Void,
    tally: @escaping @Sendable (State) -> Tally, write: ([UInt8], Tally) throws -> Void, pause: () throws -> Void
) throws {
    let reader = LineReader(source), name = source.name
    try orderedMap(workers: workers, produce: { try reader.nextBatch() }, isReady: { reader.isReady }, makeState: {
        (JSONParser(limits: limits), makeState())
    }, transform: { state, batch -> ([UInt8], Tally) in
        let (parser, state) = state
        var output: [UInt8] = []
        try batch.readEach(name, parser) { try line(state, $0, &output) }
        return (output, tally(state))
    }, consume: { output, tally in
        try write(output, tally)
        if !reader.isReady { try pause() }
    })
}

extension LineReader.Batch {
    /// Reads each line's JSON value; an error gets the line's place in the input called `name`.
    func readEach(_ name: String, _ parser: JSONParser, _ body: (JSONCursor) throws -> Void) throws {
        for (index, text) in lines.enumerated() {
            let place = "\(name): line \(first + index)"
            do { try parser.read(text, body) } catch let error as JSONError {
                // The line is the file's, not the parser's, which sees one line only.
                throw InputError("\(place)\(error.column.map { ", column \($0)" } ?? ""): \(error.message)", status: error.isOutOfMemory ? .internalError : .invalidData)
            } catch {
                throw InputError("\(place): \(error)")
            }
        }
    }
}

extension JSONWriter {
    /// A text as a JSON string and a line end.
    static func line(_ text: Text) throws -> [UInt8] {
        var writer = JSONWriter()
        try writer.write(text)
        return writer.bytes + [0x0A]
    }
}
