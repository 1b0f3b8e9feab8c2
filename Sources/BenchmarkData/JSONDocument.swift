import InputFiles
import JSON
import SystemIO

/// A document that is published as a JSON object.
protocol JSONDocument: BenchmarkDocument {
    /// Each a set of keys by which the object is known: no other benchmark's has them all. The usual form first.
    static var keys: [[String]] { get }
    /// Throws `InputError` without a place, which whoever reads the file puts in front.
    init(_ document: JSONCursor, at place: RecordPlace) throws
}

/// Typed reads that say what they expected.
extension JSONCursor {
    func required(_ key: StaticString, _ expected: String) throws -> JSONCursor {
        guard let value = self[key] else { throw InputError("\(key) is missing, expected \(expected)") }
        return value
    }

    func requiredText(_ key: StaticString, _ name: String? = nil) throws -> Text {
        guard let value = self[key] else { throw InputError("\(name ?? "\(key)") is missing, expected a string") }
        return try value.text(named: name ?? "\(key)")
    }

    func text(named name: String) throws -> Text {
        guard let text else { throw InputError("\(name) is \(typeName), expected a string") }
        return text
    }

    func requiredElements(_ key: StaticString, _ name: String? = nil) throws -> JSONElements {
        guard let value = self[key] else { throw InputError("\(name ?? "\(key)") is missing, expected an array") }
        guard let elements = value.elements else { throw InputError("\(name ?? "\(key)") is \(value.typeName), expected an array") }
        return elements
    }

    func requiredTexts(_ key: StaticString, _ name: String? = nil) throws -> [Text] {
        try requiredElements(key, name).enumerated().map { try $1.text(named: "\(name ?? "\(key)")[\($0)]") }
    }

    /// Choices, of which there must be some to choose between.
    func requiredChoices(_ key: StaticString, _ name: String? = nil) throws -> [Text] {
        let choices = try requiredTexts(key, name)
        guard choices.count >= 2 else { throw InputError("\(choices.count) \(name ?? "\(key)"), expected at least 2") }
        return choices
    }

    /// The index of one of `count` choices: a number or, as some copies have it, its digits in a string.
    func requiredIndex(_ key: StaticString, below count: Int) throws -> Int {
        let value = try required(key, "a number from 0 to \(count - 1)")
        let index = value.integer.map { Int($0) } ?? value.text.flatMap { Int($0.description) }
        guard let index, (0 ..< count).contains(index) else {
            let found = value.text.map { "\"\($0)\"" } ?? value.integer.map { "\($0)" } ?? value.typeName
            throw InputError("\(key) is \(found), expected a number from 0 to \(count - 1)")
        }
        return index
    }
}

extension CSVRow {
    /// A field as text. Throws with its place when it is not UTF-8.
    func text(_ column: Int) throws -> Text {
        let text = Text(fields[column].bytes)
        guard text.isWellFormed else { throw error(column, "bytes that are not UTF-8; convert the file to UTF-8") }
        return text
    }

    func error(_ column: Int, _ message: String) -> InputError {
        InputError("\(place.name): line \(fields[column].line), column \(fields[column].column): \(message)")
    }
}
