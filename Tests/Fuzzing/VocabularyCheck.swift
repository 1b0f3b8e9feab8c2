import Glibc
import ModelFiles
import SystemIO
import TestSupport
import Tokenization

/// A vocabulary's files to the ids of a text and back, as uf-tokenize does it; the same again from the tokenizer.json that they came to.
struct VocabularyCheck {
    private let sample: VocabularySample

    init(_ mutant: VocabularyMutant) { sample = mutant.sample }

    private struct Result: Equatable {
        var ids: [[UInt32]]
        var size: Int
        var text: [[UInt8]]
    }

    /// - Parameter folder: an empty one, which is empty again afterwards.
    func run(in folder: String) throws -> Outcome {
        let path = try sample.write(into: folder), family = sample.family.flatMap(TokenizerFamily.init(rawValue:))
        defer { for (name, _) in sample.files { unlink(folder + "/" + name) } }
        var json: [UInt8] = []
        switch try reading({ try result(of: path, family, &json) }) {
        case .refusal(let message):
            guard message.hasPrefix(folder + "/") else { throw Failure("a message that names no file: \(message)") }
            return .refused
        case .content(let one):
            guard one.ids.joined().allSatisfy({ $0 < one.size }) else { throw Failure("ids beyond the \(one.size) tokens of the vocabulary: \(one.ids)") }
            let again = VocabularySample(form: "tokenizer.json", files: [("again.json", json)])
            defer { unlink(folder + "/again.json") }
            var same: [UInt8] = []
            try expectSame(.content(one), try reading { try result(of: again.write(into: folder), nil, &same) }, "the vocabulary and its tokenizer.json")
            return .accepted
        }
    }

    private func result(of path: String, _ family: TokenizerFamily?, _ json: inout [UInt8]) throws -> Result {
        let source = try TokenizerSource(path: path, family: family)
        let tokenizer = try Tokenizer(json: source.json, name: source.name, digest: source.digest)
        json = source.json
        let ids = try [LiteralSpecialTokens.ids, .text].map { try tokenizer.encode(VocabularySample.text, special: $0) }
        return Result(ids: ids, size: tokenizer.vocabularySize, text: try ids.map { try tokenizer.decodeText($0) })
    }
}
