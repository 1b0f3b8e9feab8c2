import CJSON

/// simdjson behind Swift: one parser for many documents, its buffers reused. Not for use by two threads at a time; make one a thread.
public final class JSONParser {
    private let handle: OpaquePointer?
    public let limits: JSONLimits

    public init(limits: JSONLimits = JSONLimits()) {
        handle = uf_json_create()
        self.limits = limits
    }

    deinit { uf_json_destroy(handle) }

    /// Parses one document and hands its root to `body`. The cursor, and everything reached from it, points into the parser's buffers and
    /// must not leave `body`.
    ///
    /// - Parameter behind: how many bytes behind the document can be read too, whatever they are; 64 of them spare a copy.
    public func read<Result>(_ bytes: UnsafeBufferPointer<UInt8>, behind: Int = 0, _ body: (JSONCursor) throws -> Result) throws -> Result {
        try body(parse(bytes, behind: behind))
    }

    public func read<Result>(_ bytes: [UInt8], _ body: (JSONCursor) throws -> Result) throws -> Result {
        // What an array has room for can be read.
        let behind = bytes.capacity - bytes.count
        return try bytes.withUnsafeBufferPointer { try body(parse($0, behind: behind)) }
    }

    /// As `read`, for callers that cannot nest: the cursor holds only until this parser's next parse, and only while the parser lives.
    public func parse(_ bytes: UnsafeBufferPointer<UInt8>, behind: Int = 0) throws(JSONError) -> JSONCursor {
        guard bytes.count <= limits.maximumBytes else {
            throw JSONError("\(bytes.count) bytes of JSON, the limit is \(limits.maximumBytes)")
        }
        guard let handle else { throw .outOfMemory("a JSON parser") }
        var start = 0
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF {
            guard limits.skipsByteOrderMark else { throw JSONError("a byte order mark, which belongs at the start of a file only", at: 0, in: bytes) }
            start = 3
        }
        let body = UnsafeBufferPointer(rebasing: bytes[start...])
        var document = uf_json_document()
        let error = uf_json_parse(handle, body.baseAddress, body.count, behind, limits.maximumDepth, &document)
        guard error == 0, let tape = document.tape, let strings = document.strings else {
            // simdjson's DOM says what went wrong but not where. This path is taken once, just before an error message, so it may be slow.
            if let fault = JSONFaultFinder.firstFault(in: body, maximumDepth: limits.maximumDepth) {
                throw JSONError(fault.message, at: start + fault.offset, in: bytes)
            }
            if error == uf_json_error_out_of_memory() { throw .outOfMemory("\(bytes.count) bytes of JSON") }
            throw JSONError(String(cString: uf_json_message(error)))
        }
        let root = JSONCursor(tape: tape, strings: strings, index: 1)
        if limits.refusesDuplicateKeys, let key = root.firstDuplicateKey() { throw JSONError("the key \"\(key)\" stands twice in one object") }
        return root
    }
}

/// Parsing of whole small documents.
public enum JSON {
    /// Parses one document into values. An integer beyond Int64 that fits UInt64 becomes the nearest Double; a number beyond both, or a
    /// fraction beyond the range of Double (1e999), is an error.
    public static func parse(_ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        let parser = JSONParser(limits: limits)
        let value = JSONValue(try parser.parse(bytes))
        withExtendedLifetime(parser) {}
        return value
    }

    public static func parse(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        var bytes = bytes
        var inserted: [Int] = []
        while true {
            do throws(JSONError) { return try parseOnce(bytes, limits) } catch {
                // A document with more of them than this is no configuration.
                guard limits.roundsHugeIntegers, inserted.count < 64, error.message.hasSuffix(JSONError.hugeInteger), let start = error.offset else {
                    throw error.without(inserted, of: 2)
                }
                // With an exponent it is a fraction, which simdjson reads as the nearest double.
                let digits = bytes[start...].dropFirst().prefix { (UInt8(ascii: "0") ... UInt8(ascii: "9")).contains($0) }
                bytes.insert(contentsOf: [UInt8(ascii: "e"), UInt8(ascii: "0")], at: digits.endIndex)
                inserted.append(digits.endIndex)
            }
        }
    }

    private static func parseOnce(_ bytes: [UInt8], _ limits: JSONLimits) throws(JSONError) -> JSONValue {
        let result: Result<JSONValue, JSONError> = bytes.withUnsafeBufferPointer { buffer in
            do throws(JSONError) { return .success(try parse(buffer, limits: limits)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    public static func parse(_ string: String, limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        try parse(Array(string.utf8), limits: limits)
    }
}
