/// Why bytes are no JSON, and where. `line` and `column` count from 1, in bytes; `offset` from 0.
public struct JSONError: Error, Equatable, CustomStringConvertible {
    public var message: String
    public var offset: Int?
    public var line: Int?
    public var column: Int?
    /// Nothing is known to be wrong with the document: the machine could not hold it.
    public private(set) var isOutOfMemory = false

    public init(_ message: String, offset: Int? = nil, line: Int? = nil, column: Int? = nil) {
        self.message = message
        self.offset = offset
        self.line = line
        self.column = column
    }

    /// Finds line and column of an offset in the bytes that were parsed.
    init(_ message: String, at offset: Int, in bytes: UnsafeBufferPointer<UInt8>) {
        var line = 1, lineStart = 0
        for i in 0..<min(offset, bytes.count) where bytes[i] == 0x0A {
            line += 1
            lineStart = i + 1
        }
        self.init(message, offset: offset, line: line, column: offset - lineStart + 1)
    }

    /// The error's place in the document before `size` bytes each were inserted at `places` (offsets in the longer document).
    func without(_ places: [Int], of size: Int) -> JSONError {
        guard let offset, let column else { return self }
        let lineStart = offset - (column - 1)
        let before = places.count { $0 < offset }, onLine = places.count { $0 < offset && $0 >= lineStart }
        return JSONError(message, offset: offset - before * size, line: line, column: column - onLine * size)
    }

    static func outOfMemory(_ what: String) -> JSONError {
        var error = JSONError("no memory for \(what)")
        error.isOutOfMemory = true
        return error
    }

    static let hugeInteger = "does not fit 64 bits"

    /// `line 3, column 7: expected ',' or '}', found 'x'`; without a place where there is none.
    public var description: String {
        guard let line, let column else { return message }
        return "line \(line), column \(column): \(message)"
    }
}

/// What a parser believes of its input.
public struct JSONLimits: Sendable {
    /// A longer document is refused before anything is allocated for it. At most 4 GiB.
    public var maximumBytes: Int
    /// Containers open at once.
    public var maximumDepth: Int
    /// Off, the last of several equal keys is the one that lookups find, as in Python; on, a second one is an error.
    public var refusesDuplicateKeys: Bool
    /// Whether a UTF-8 byte order mark before the document is skipped. Right at the start of a file, wrong inside one.
    public var skipsByteOrderMark: Bool
    /// Whether `JSON.parse` takes an integer beyond 64 bits for the nearest Double instead of refusing it. For configurations, where transformers
    /// writes 1000000000000000019884624838656 for "no limit" (`model_max_length`); data has no such numbers.
    public var roundsHugeIntegers: Bool

    public init(maximumBytes: Int = 256 << 20, maximumDepth: Int = 512, refusesDuplicateKeys: Bool = false, skipsByteOrderMark: Bool = true,
                roundsHugeIntegers: Bool = false) {
        self.maximumBytes = maximumBytes
        self.maximumDepth = maximumDepth
        self.refusesDuplicateKeys = refusesDuplicateKeys
        self.skipsByteOrderMark = skipsByteOrderMark
        self.roundsHugeIntegers = roundsHugeIntegers
    }
}
