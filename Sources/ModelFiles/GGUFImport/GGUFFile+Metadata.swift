import JSON
import SystemIO

/// Metadata by key with the type that the importer needs; a message names file, key and what stands there.
extension GGUFFile {
    func error(_ message: String) -> InputError { InputError("\(path): \(message)") }

    private func wrong(_ key: String, _ expected: String, _ value: GGUFValue?) -> InputError {
        error(value.map { "\(key) is \($0.kind); \(expected) was expected" } ?? "\(key) is missing; \(expected) was expected")
    }

    func optionalInteger(_ key: String) throws -> Int? {
        switch metadata[key] {
        case nil: return nil
        case .unsigned(let number)?:
            if let integer = Int(exactly: number) { return integer }
        case .signed(let number)?:
            if number >= 0, let integer = Int(exactly: number) { return integer }
        default: throw wrong(key, "a whole number", metadata[key])
        }
        throw error("\(key) is out of range")
    }

    /// A size: at least 1, and small enough that products of two fit an Int.
    func size(_ key: String) throws -> Int {
        guard let value = try optionalInteger(key) else { throw wrong(key, "a whole number", nil) }
        guard value >= 1, value <= Int(Int32.max) else { throw error("\(key) is \(value); 1 to \(Int32.max) is possible") }
        return value
    }

    func optionalFloat(_ key: String) throws -> Float? {
        switch metadata[key] {
        case nil: return nil
        case .float(let value)?:
            if value.isFinite { return value }
        case .double(let value)?:
            if Float(value).isFinite { return Float(value) }
        default: throw wrong(key, "a number", metadata[key])
        }
        throw error("\(key) is not finite")
    }

    func optionalBool(_ key: String) throws -> Bool? {
        switch metadata[key] {
        case nil: nil
        case .bool(let value)?: value
        case let other: throw wrong(key, "true or false", other)
        }
    }

    func optionalString(_ key: String) throws -> String? {
        switch metadata[key] {
        case nil: nil
        case .string(let bytes)?:
            if let string = String(validating: bytes, as: UTF8.self) { string } else { throw error("\(key) is not valid UTF-8") }
        case let other: throw wrong(key, "a string", other)
        }
    }

    func strings(_ key: String) throws -> [[UInt8]] {
        guard case .array(.strings(let strings))? = metadata[key] else { throw wrong(key, "an array of strings", metadata[key]) }
        return strings
    }

    func floats(_ key: String) throws -> [Float] {
        guard case .array(.floats(let floats))? = metadata[key] else { throw wrong(key, "an array of numbers (float32)", metadata[key]) }
        return floats
    }

    func integers(_ key: String) throws -> [Int64] {
        switch metadata[key] {
        case .array(.signed(let numbers))?: numbers
        case .array(.unsigned(let numbers))?: numbers.map { Int64(clamping: $0) }
        case let other: throw wrong(key, "an array of whole numbers", other)
        }
    }
}

extension JSONValue {
    /// The shortest decimal that reads back as the same float: 1e-05, not 9.999999747378752e-06.
    init(_ float: Float) { self = .number(Double(float.description) ?? Double(float)) }
}
