import SystemIO

/// What came of reading: something, or the message of an `InputError`.
enum Reading<Content: Equatable>: Equatable {
    case content(Content)
    case refusal(String)
}

/// Runs `body` and holds an error to the rules: an `InputError` with a documented status, whose message is one line.
func reading<Content>(_ body: () throws -> Content) throws -> Reading<Content> {
    do { return .content(try body()) } catch let error as InputError {
        guard [.invalidData, .usage].contains(error.status) else { throw Failure("status \(error.status.rawValue): \(error.message.prefix(500))") }
        guard !error.message.isEmpty, error.message.utf8.count <= 4096 else {
            throw Failure("a message of \(error.message.utf8.count) bytes: \(error.message.prefix(200))")
        }
        guard !error.message.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F ... 0x9F).contains($0.value) }) else {
            throw Failure("a message with control characters: \(String(reflecting: error.message.prefix(500)))")
        }
        return .refusal(error.message)
    }
}

/// Throws unless `one` and `other` are the same.
func expectSame<Value: Equatable>(_ one: Value, _ other: Value, _ what: String) throws {
    guard one == other else { throw Failure("\(what) differ: \("\(one)".prefix(400)) | \("\(other)".prefix(400))") }
}
