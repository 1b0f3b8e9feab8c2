import Evaluation
import JSON
import ModelFiles
import SystemIO
import Tokenization

extension HarnessTokenizer {
    /// The tokenizer of a model folder as lm-eval uses it: special tokens in a text are recognised, and BOS goes in front when the tokenizer says so.
    init(_ model: EvaluatedModel, addsBOS: Bool) throws {
        let source = try TokenizerSource(path: model.path)
        let tokenizer = try Tokenizer(json: source.json, name: source.name, digest: source.digest)
        let prefix = try Self.prefixToken(model, tokenizer)
        let scratch = EncodingScratch()
        self.init(prefixToken: prefix, prefixText: Text(prefix.flatMap { tokenizer.piece($0) } ?? [])) { text, addSpecialTokens in
            addSpecialTokens && addsBOS
                ? try tokenizer.encodeWhole(text.bytes, special: .ids, scratch: scratch) : try tokenizer.encode(text.bytes, special: .ids, scratch: scratch)
        }
    }

    /// BOS, else EOS: by name in tokenizer_config.json, else by number in config.json.
    private static func prefixToken(_ model: EvaluatedModel, _ tokenizer: Tokenizer) throws -> UInt32? {
        let files = model.folder.tokenizerFiles, (beginning, ending) = try files.specialTokens()
        if let name = beginning.name ?? ending.name {
            guard let id = tokenizer.id(of: name) else {
                throw InputError("\(model.path)/tokenizer_config.json: \(beginning.name == nil ? "eos_token" : "bos_token") is \"\(name)\", which the vocabulary does not have")
            }
            return id
        }
        for key in ["bos_token_id", "eos_token_id"] {
            if let id = (model.folder.config[key]?.integer ?? model.folder.config[key]?[0]?.integer).flatMap({ UInt32(exactly: $0) }), id < tokenizer.vocabularySize { return id }
        }
        return nil
    }
}
