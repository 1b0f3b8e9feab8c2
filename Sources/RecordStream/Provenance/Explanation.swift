/// The shell pipeline that makes a stream again, from its head and tail.
public struct Explanation {
    private var variables: [(name: String, comment: String)] = []
    private var rawInputs = 0
    private var roles: [String: Int] = [:]

    public init() {}

    /// Lines of bash: one variable for each raw input and file, to be set by whoever runs it, then the pipeline, which writes the stream to standard output.
    /// - Parameter codec: how the stream's blocks are stored. That of its inputs has no influence on it.
    public static func script(_ head: StreamHead, _ tail: StreamTail, codec: Codec = .none) -> String {
        var explanation = Explanation()
        let pipeline = explanation.pipeline(head.provenance, tail) + (codec == .none ? "" : " --codec \(codec.name)")
        let variables = explanation.variables.map { "\($0.name)=${\($0.name):?set it to the file} # \($0.comment)\n" }.joined()
        return "set -eu -o pipefail\n" + variables + pipeline + "\n"
    }

    private mutating func pipeline(_ stage: Provenance, _ tail: StreamTail) -> String {
        var words = stage.command.split(separator: " ").map { Explanation.quoted(String($0)) }
        // Raw inputs first, so that $INPUT1 is the first file that the reader of the script needs.
        var operands: [String] = []
        var streams: [String] = []
        var upstream = stage.inputs.makeIterator()
        for input in tail.inputs {
            switch input {
            case .raw(let sha256, let bytes):
                rawInputs += 1
                variables.append(("INPUT\(rawInputs)", "sha256 \(sha256), \(bytes) bytes, decompressed"))
                operands.append("\"$INPUT\(rawInputs)\"")
            case .stream(_, _, _, let tail):
                if let stage = upstream.next() { streams.append(pipeline(stage, tail)) }
            }
        }
        for argument in stage.arguments {
            switch argument {
            case .text(let text): words.append(Explanation.quoted(text))
            case .file(let role, let sha256): words.append("\"$\(variable(role, sha256))\"")
            }
        }
        if streams.count == 1, operands.isEmpty { return streams[0] + " |\n  " + words.joined(separator: " ") }
        return (words + operands + streams.map { "<(\($0))" }).joined(separator: " ")
    }

    /// One variable for each different file: two stages that read the same tokenizer name it once.
    private mutating func variable(_ role: String, _ sha256: String) -> String {
        let comment = "sha256 \(sha256)"
        if let known = variables.first(where: { $0.comment == comment }) { return known.name }
        roles[role, default: 0] += 1
        let name = role.uppercased() + "\(roles[role] ?? 1)"
        variables.append((name, comment))
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
