import JSON
import SystemIO

/// Turns lines of JSON into records: one importer for each thread, and none after an error.
public final class LineImporter {
    private let schema: Schema
    private let parser = JSONParser(limits: JSONLimits(skipsByteOrderMark: false))
    private let records: RecordParser
    private let builder: BlockBuilder

    public init(_ schema: Schema) {
        self.schema = schema
        records = RecordParser(schema)
        builder = BlockBuilder(schema: schema)
    }

    /// The records of some lines, held to the rules of their kind, in the form of `Block.append(record:to:)`.
    ///
    /// `forEachLine` calls its argument with the bytes of each line, without the line feed, and what messages call the line. Errors name line and column.
    public func records(_ forEachLine: ((UnsafeBufferPointer<UInt8>, String) throws -> Void) throws -> Void) throws -> [[UInt8]] {
        var result: [[UInt8]] = []
        try forEachLine { line, place in
            // A record at a time: the rules are checked while the line is at hand.
            builder.removeAll()
            do {
                let shown = LineImporter.withSignedZeros(line)
                let cursor = try parse(line, shown)
                try records.append(cursor, to: builder)
                try builder.endRecord()
                let payload = builder.payload()
                let block = try Block(schema: schema, name: place, firstRecord: 0, count: 1, payload: payload.bytes, owner: payload)
                try block.checkRules(0)
                result.append(try block.recordBytes(0))
                withExtendedLifetime(shown) {}
            } catch let fault as ImportFault {
                let column = JSONLocator.offset(of: fault.path, in: line) + 1
                throw InputError("\(place), column \(column): \(fault.path.isEmpty ? "" : JSONStep.words(fault.path) + ": ")\(fault.message)")
            } catch let fault as JSONError {
                throw InputError("\(place)\(fault.column.map { ", column \($0)" } ?? ""): \(fault.message)", status: fault.isOutOfMemory ? .internalError : .invalidData)
            } catch let error as InputError { throw error.at("\(place), column 1") }
        }
        return result
    }

    private func parse(_ line: UnsafeBufferPointer<UInt8>, _ signed: [UInt8]?) throws -> JSONCursor {
        let cursor = try parser.parse(line)
        guard let signed else { return cursor }
        return try signed.withUnsafeBufferPointer { try parser.parse($0) }
    }

    /// `-0` is an integer to a JSON parser, and an integer has no signed zero: where a tool wrote -0.0 so, it is written -0.0 again. Nil where there is none.
    static func withSignedZeros(_ line: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        var places: [Int] = [], at = 0, isString = false
        while at < line.count {
            switch line[at] {
            case UInt8(ascii: "\\") where isString: at += 1
            case UInt8(ascii: "\""): isString.toggle()
            case UInt8(ascii: "-") where !isString && at + 1 < line.count && line[at + 1] == UInt8(ascii: "0"):
                if at + 2 == line.count || !"0123456789.eE".utf8.contains(line[at + 2]) { places.append(at + 2) }
            default: break
            }
            at += 1
        }
        guard !places.isEmpty else { return nil }
        var longer = Array(line)
        for place in places.reversed() { longer.insert(contentsOf: Array(".0".utf8), at: place) }
        return longer
    }
}
