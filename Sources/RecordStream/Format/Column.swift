import JSON
import SystemIO

/// The number types that columns hold, little-endian.
public enum ScalarType: String, Sendable, CaseIterable {
    case u8, u32, u64, i32, f32, f64

    public var size: Int {
        switch self {
        case .u8: 1
        case .u32, .i32, .f32: 4
        case .u64, .f64: 8
        }
    }
}

/// One column of a stream: a number, a list of numbers or a list of lists of numbers for every record.
public struct Column: Sendable, Equatable {
    /// What the numbers stand for.
    public enum Meaning: String, Sendable {
        /// Themselves.
        case number
        /// UTF-8 bytes (a lone surrogate as its three-byte form); the innermost list is one text.
        case text
        /// Indices into a list of texts that the block carries once (dimension names, sources, roles).
        case dictionary
    }

    public var name: String
    public var type: ScalarType
    /// 0: one value a record; 1: a list a record; 2: a list of lists a record.
    public var depth: Int
    public var meaning: Meaning

    public init(_ name: String, _ type: ScalarType, depth: Int = 0, meaning: Meaning = .number) {
        self.name = name
        self.type = type
        self.depth = depth
        self.meaning = meaning
    }

    /// One text a record (`depth` 1) or a list of texts a record (`depth` 2).
    public static func text(_ name: String, depth: Int = 1) -> Column { Column(name, .u8, depth: depth, meaning: .text) }

    /// One recurring text a record (`depth` 0), or lists of them.
    public static func dictionary(_ name: String, depth: Int = 0) -> Column { Column(name, .u32, depth: depth, meaning: .dictionary) }

    /// How many arrays the column takes in a block: offsets for each level, values, and a dictionary's offsets and bytes.
    var arrayCount: Int { depth + 1 + (meaning == .dictionary ? 2 : 0) }

    var json: JSONValue {
        .object([
            ("as", .string(meaning.rawValue)), ("depth", .integer(Int64(depth))), ("name", .string(name)), ("type", .string(type.rawValue)),
        ])
    }

    init(json: JSONValue) throws {
        guard let name = json["name"]?.string, let type = json["type"]?.string.flatMap(ScalarType.init(rawValue:)),
            let depth = json["depth"]?.int, (0 ... 2).contains(depth), let meaning = json["as"]?.string.flatMap(Meaning.init(rawValue:)),
            meaning != .text || (type == .u8 && depth >= 1), meaning != .dictionary || type == .u32, Name.isIdentifier(name)
        else {
            let text = String(decoding: ((try? json.canonical) ?? []).prefix(200), as: UTF8.self)
            throw InputError("a column of the schema is malformed: \(text)")
        }
        self.init(name, type, depth: depth, meaning: meaning)
    }
}

/// What the records of a stream are: their kind and their columns, in the order in which blocks store them.
public struct Schema: Sendable, Equatable {
    public var kind: String
    public var columns: [Column]

    public init(kind: String, columns: [Column]) {
        self.kind = kind
        self.columns = columns
    }

    var arrayCount: Int { columns.reduce(0) { $0 + $1.arrayCount } }

    /// The canonical text over which the content digest is taken.
    var json: JSONValue {
        .object([("columns", .array(columns.map(\.json))), ("kind", .string(kind))])
    }
}
