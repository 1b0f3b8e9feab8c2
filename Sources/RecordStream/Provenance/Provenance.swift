import JSON
import SystemIO

/// How a stream was made, as far as it is known before the first record: one stage, and the stages that made its input streams.
///
/// Together with the tail's digests of raw inputs this is enough to make the same bytes again (`uf-records explain`). No file names, times,
/// hosts, thread counts or release versions: they would change the bytes without changing the data.
public struct Provenance: Sendable, Equatable {
    /// One word of the command line that makes the stream again.
    public enum Argument: Sendable, Equatable {
        case text(String)
        /// A file or folder that an option reads (a tokenizer, a model), known by its role and digest instead of its name.
        case file(role: String, sha256: String)
    }

    /// The command with its subcommand: `uf-convert`, `uf-eval score`.
    public var command: String
    /// Raised only when the same command line makes other bytes than before.
    public var recipe: Int
    /// Every option that decides bytes, spelled out with its value, in a fixed order.
    public var arguments: [Argument]
    /// The provenance of each input stream, in order; empty for a stage that reads raw files.
    public var inputs: [Provenance]

    public init(command: String, recipe: Int, arguments: [Argument], inputs: [Provenance] = []) {
        self.command = command
        self.recipe = recipe
        self.arguments = arguments
        self.inputs = inputs
    }

    // A chain as long as this is an attack on the reader's stack, not a pipeline.
    private static let deepest = 64

    var json: JSONValue {
        .object([
            ("arguments", .array(arguments.map(\.json))), ("command", .string(command)), ("inputs", .array(inputs.map(\.json))),
            ("recipe", JSONValue(recipe)),
        ])
    }

    init(json: JSONValue, depth: Int = 0) throws {
        guard depth < Provenance.deepest, let command = json["command"]?.string, let recipe = json["recipe"]?.int,
            let arguments = json["arguments"]?.array, let inputs = json["inputs"]?.array, Name.isCommand(command)
        else { throw InputError("provenance without command (of this suite), recipe, arguments or inputs") }
        self.command = command
        self.recipe = recipe
        self.arguments = try arguments.map(Argument.init(json:))
        self.inputs = try inputs.map { try Provenance(json: $0, depth: depth + 1) }
    }
}

extension Provenance.Argument {
    var json: JSONValue {
        switch self {
        case .text(let text): .string(text)
        case .file(let role, let sha256): .object([("role", .string(role)), ("sha256", .string(sha256))])
        }
    }

    init(json: JSONValue) throws {
        if let text = json.string {
            self = .text(text)
        } else if let role = json["role"]?.string, let sha256 = json["sha256"]?.string, Name.isIdentifier(role), Name.isDigest(sha256) {
            self = .file(role: role, sha256: sha256)
        } else {
            throw InputError("provenance with a malformed argument")
        }
    }
}
