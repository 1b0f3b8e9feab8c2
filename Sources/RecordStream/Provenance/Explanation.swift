/// The shell pipeline that makes a stream again, from its head and tail.
public struct Explanation {
    /// A file or folder that the script needs, in a variable that whoever runs it sets.
    private struct Variable {
        var name: String
        var role: String
        var sha256: String
        var comment = ""

        var declaration: String {
            let noun = role == Explanation.pair ? "folder of encoder.json and vocab.bpe" : Explanation.checkedByCommand[role]?.noun ?? "file"
            return "\(name)=${\(name):?set it to the \(noun)}\(comment)\n"
        }

        /// Holds it to its digest; empty where a command of the pipeline does.
        var check: String {
            switch role {
            case _ where Explanation.checkedByCommand[role] != nil: ""
            case Explanation.raw: "decompressed \"$\(name)\" | holds \(name) \(sha256)\n"
            case Explanation.pair: "cat \"$\(name)/encoder.json\" \"$\(name)/vocab.bpe\" | holds \(name) \(sha256)\n"
            default: "holds \(name) \(sha256) < \"$\(name)\"\n"
            }
        }
    }

    private static let raw = "input"
    /// A vocabulary in two files, whose digest is that of one behind the other.
    private static let pair = "tokenizer_pair"
    /// What is no single file, so that its digest is not of a file's bytes: a command computes it anyway, and holds it to the option's.
    private static let checkedByCommand = [
        "model": (noun: "model folder", option: "--model-sha256"), "benchmarks": (noun: "folder of benchmark files", option: "--benchmarks-sha256"),
        "dedup_store": (noun: "SQLite file of --dedup-store", option: "--dedup-store-sha256"),
    ]

    private var variables: [Variable] = []
    private var roles: [String: Int] = [:]

    public init() {}

    /// Lines of bash: one variable for each raw input, file and model, to be set by whoever runs it, their checks, then the pipeline, which writes the
    /// stream to standard output.
    /// - Parameter codec: how the stream's blocks are stored. That of its inputs has no influence on it.
    public static func script(_ head: StreamHead, _ tail: StreamTail, codec: Codec = .none) -> String {
        var explanation = Explanation()
        let pipeline = explanation.pipeline(head.provenance, tail) + (codec == .none ? "" : " --codec \(codec.name)")
        let checks = explanation.variables.map(\.check).joined()
        let declarations = explanation.variables.map(\.declaration).joined()
        return "set -eu -o pipefail\n" + declarations + (checks.isEmpty ? "" : Explanation.functions + checks) + pipeline + "\n"
    }

    /// A raw input's digest is that of its decompressed bytes; gzip passes on what is not compressed.
    private static let functions = """
        decompressed() { case $1 in *.bz2) bzip2 -dc "$1" ;; *.xz) xz -dc "$1" ;; *.zst) zstd -dcq "$1" ;; *) gzip -dcf < "$1" ;; esac; }
        holds() { [ "$(sha256sum | cut -c 1-64)" = "$2" ] || { echo "$1: not what the stream was made of: its SHA-256 should be $2" >&2; exit 65; }; }

        """

    private mutating func pipeline(_ stage: Provenance, _ tail: StreamTail) -> String {
        var words = stage.command.split(separator: " ").map { Explanation.quoted(String($0)) }
        // Raw inputs first, so that $INPUT1 is the first file that the reader of the script needs.
        var operands: [String] = []
        var streams: [String] = []
        var upstream = stage.inputs.makeIterator()
        for input in tail.inputs {
            switch input {
            case .raw(let sha256, let bytes):
                operands.append("\"$\(variable(Explanation.raw, sha256, comment: " # \(bytes) bytes, decompressed"))\"")
            case .stream(_, _, _, let tail):
                if let stage = upstream.next() { streams.append(pipeline(stage, tail)) }
            }
        }
        for argument in stage.arguments {
            switch argument {
            case .text(let text): words.append(Explanation.quoted(text))
            case .file(let role, let sha256):
                words.append("\"$\(variable(role, sha256))\"")
                if let checked = Explanation.checkedByCommand[role] { words += [checked.option, sha256] }
            }
        }
        if streams.count == 1, operands.isEmpty { return streams[0] + " |\n  " + words.joined(separator: " ") }
        return (words + operands + streams.map { "<(\($0))" }).joined(separator: " ")
    }

    /// One variable for each different file: two stages that read the same raw input or tokenizer name it once.
    private mutating func variable(_ role: String, _ sha256: String, comment: String = "") -> String {
        if let known = variables.first(where: { $0.role == role && $0.sha256 == sha256 }) { return known.name }
        roles[role, default: 0] += 1
        let name = role.uppercased() + "\(roles[role] ?? 1)"
        variables.append(Variable(name: name, role: role, sha256: sha256, comment: comment))
        return name
    }

    /// A word for the shell; anything beyond plain characters goes into single quotes.
    public static func quoted(_ word: String) -> String {
        let plain = word.utf8.allSatisfy { byte in
            (0x30 ... 0x39).contains(byte) || (0x41 ... 0x5A).contains(byte) || (0x61 ... 0x7A).contains(byte) || "-_./:=,+@%".utf8.contains(byte)
        }
        return plain && !word.isEmpty ? word : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
