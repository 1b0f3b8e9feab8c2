import Glibc

/// The system's text for an error number, in the C locale, so that messages do not change with the user's language.
public func systemMessage(_ number: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard strerror_r(number, &buffer, buffer.count) == 0 else { return "error \(number)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

extension InputError {
    /// An input that cannot be opened (status 66).
    public static func cannotOpen(_ name: String, _ number: Int32 = errno) -> InputError {
        InputError("\(name): cannot be opened for reading: \(systemMessage(number))", status: .missingInput)
    }

    /// A read that failed on the way (status 74).
    public static func cannotRead(_ name: String, at offset: Int, _ number: Int32 = errno) -> InputError {
        InputError("\(name): reading failed at byte \(offset): \(systemMessage(number))", status: .ioError)
    }

    /// An output that cannot be made (status 73).
    public static func cannotCreate(_ name: String, _ number: Int32 = errno) -> InputError {
        InputError("\(name): cannot be created: \(systemMessage(number))", status: .cannotCreate)
    }

    /// A write that failed on the way (status 74): full disk, closed pipe, quota.
    public static func cannotWrite(_ name: String, at offset: Int, _ number: Int32 = errno) -> InputError {
        InputError("\(name): writing failed at byte \(offset): \(systemMessage(number))", status: .ioError)
    }
}
