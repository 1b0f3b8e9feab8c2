import JSON
import SystemIO

/// Why a JSON value is no record, and which part of it.
struct ImportFault: Error {
    var path: [JSONStep]
    var message: String

    init(_ path: [JSONStep], _ message: String) {
        self.path = path
        self.message = message
    }
}

/// A JSON value with its path from the record's root.
struct ImportValue {
    let cursor: JSONCursor
    let path: [JSONStep]

    func fault(_ message: String) -> ImportFault { ImportFault(path, message) }

    func expected(_ what: String) -> ImportFault { fault("expected \(what), found \(cursor.typeName)") }

    func elements() throws(ImportFault) -> [ImportValue] {
        guard let elements = cursor.elements else { throw expected("an array") }
        return elements.enumerated().map { ImportValue(cursor: $1, path: path + [.index($0)]) }
    }

    func text() throws(ImportFault) -> Text {
        guard let text = cursor.text else { throw expected("a string") }
        return text
    }

    func number<Number: ImportNumber>(_: Number.Type = Number.self) throws(ImportFault) -> Number {
        guard let number = Number(cursor) else {
            let what = "\(Number.words)"
            throw fault("expected \(what), found \(cursor.found)")
        }
        return number
    }

    /// The members of an object, which must be exactly `names`, in any order; `optional` ones may be missing.
    func members(_ names: [String], optional: [String] = []) throws -> [String: ImportValue] {
        guard let members = cursor.members else { throw expected("an object") }
        var found: [String: ImportValue] = [:]
        for (key, value) in members {
            let name = String(decoding: key, as: UTF8.self)
            guard names.contains(name) || optional.contains(name) else {
                throw ImportFault(path + [.key(name)], "an unknown member; expected are \((names + optional).joined(separator: ", "))")
            }
            let member = ImportValue(cursor: value, path: path + [.key(name)])
            guard found.updateValue(member, forKey: name) == nil else { throw member.fault("stands twice") }
        }
        if let missing = names.first(where: { found[$0] == nil }) { throw fault("the member \(missing) is missing") }
        return found
    }
}

/// A number of a column's type out of JSON. Integers may be written with a fraction of zero, as some tools do.
protocol ImportNumber: BitwiseCopyable {
    /// For messages.
    static var words: String { get }
    init?(_ cursor: JSONCursor)
}

extension ImportNumber where Self: FixedWidthInteger {
    static var words: String { "an integer from \(min) to \(max)" }

    init?(_ cursor: JSONCursor) {
        if let unsigned = cursor.unsigned { self.init(exactly: unsigned) } else if let integer = cursor.integer { self.init(exactly: integer) } else if let double = cursor.double {
            self.init(exactly: double)
        } else { return nil }
    }
}

extension ImportNumber where Self: BinaryFloatingPoint {
    static var words: String { "a number, null (NaN), \"inf\" or \"-inf\"" }

    init?(_ cursor: JSONCursor) {
        if let double = cursor.double { self.init(double) } else if cursor.isNull { self = .nan } else if cursor.isString("inf") { self = .infinity } else if cursor.isString("-inf") {
            self = -.infinity
        } else { return nil }
    }
}

extension UInt8: ImportNumber {}
extension UInt32: ImportNumber {}
extension UInt64: ImportNumber {}
extension Int32: ImportNumber {}
extension Float: ImportNumber {}
extension Double: ImportNumber {}
