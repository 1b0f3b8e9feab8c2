import Glibc
import JSON
import SystemIO
import TestSupport
import Testing

/// Vocabularies in every form on the command line: what they give, what is told of them, and what is said of bad ones.
@Suite struct VocabularyCommandTests {
    private let folder = TemporaryFolder()
    private static let stories = Fixtures.path("models/stories260K")

    private func run(_ script: String) -> Command.Outcome { Command.shell(script, in: folder.path, environment: ["G": Fixtures.path("gguf"), "M": Self.stories]) }

    private func write(_ name: String, _ bytes: [UInt8]) throws {
        let sink = FileSink(descriptor: open(folder.file(name), O_WRONLY | O_CREAT | O_TRUNC, 0o644), name: name, closes: true)
        try sink.write(bytes)
        try sink.finish()
    }

    /// The small vocabulary of Qwen's kind as a pair.
    private func writePair() throws {
        let model = try #require(try JSON.parse(try readWholeFile(Fixtures.path("gguf/import-qwen2.tokenizer.json")))["model"])
        try write("encoder.json", try #require(model["vocab"]).serialized())
        try write("vocab.bpe", try #require(model["merges"]?.array).flatMap { ($0.text?.bytes ?? []) + [0x0A] })
    }

    /// The small vocabulary of Llama 2's kind as a SentencePiece model.
    private func sentencePiece() throws -> [UInt8] {
        let vocabulary = try #require(try JSON.parse(try readWholeFile(Fixtures.path("gguf/import-llama.tokenizer.json")))["model"]?["vocab"]?.object)
        return SentencePieceBuilder.standard(vocabulary.filter { ($0.value.int ?? 0) > 258 }.enumerated().map { ($0.element.key.bytes, -Float($0.offset), 1) }).bytes
    }

    /// Holds a line to status 65 (or another), one line that begins so, and nothing under the output's name.
    private func expectRefusal(_ script: String, _ message: String, status: Int32 = 65, sourceLocation: SourceLocation = #_sourceLocation) {
        let outcome = run(script)
        #expect(outcome.status == status && outcome.output.isEmpty, "\(script): \(outcome.status) \(outcome.errors)", sourceLocation: sourceLocation)
        #expect(outcome.errors.hasPrefix(message) && outcome.errors.split(separator: "\n").count == 1, "\(script): \(outcome.errors)", sourceLocation: sourceLocation)
        #expect(folder.contents.allSatisfy { !$0.hasPrefix("out") && !$0.contains(".tmp") }, "\(script): \(folder.contents)", sourceLocation: sourceLocation)
    }

    private func makeRated() {
        let made = run("zcat \(Fixtures.path("ultrafeedback/binarized.jsonl.gz")) | head -8 > raw.jsonl; uf-convert raw.jsonl -o rated.uf")
        #expect(made.status == 0, "\(made.errors)")
    }

    @Test func aPairGivesTheSameBytesAgain() throws {
        try writePair()
        makeRated()
        let made = run(
            """
            set -e
            uf-tokenize rated.uf --tokenizer . --tokenizer-family qwen2 --template plain --bos none --eos '<|im_end|>' -o tokens.uf
            uf-tokenize rated.uf --tokenizer encoder.json --tokenizer-family qwen2 --template plain --bos none --eos '<|im_end|>' | cmp - tokens.uf
            uf-records explain tokens.uf > again.sh
            INPUT1=raw.jsonl TOKENIZER_PAIR1=. bash again.sh | cmp - tokens.uf
            mkdir other; cp encoder.json other; sed 's/^h e$/e h/' vocab.bpe > other/vocab.bpe
            INPUT1=raw.jsonl TOKENIZER_PAIR1=other bash again.sh
            """)
        #expect(made.status == 65 && made.errors.hasPrefix("TOKENIZER_PAIR1: not what the stream was made of: its SHA-256 should be "), "\(made.errors)")
        let ids = run(#"printf '"The dog\\u0301 12"\n' > t; uf-tokenize text --tokenizer vocab.bpe --tokenizer-family qwen2 t | tee pair.ids; uf-tokenize text --tokenizer "$G/import-qwen2.tokenizer.json" t | cmp - pair.ids"#)
        #expect(ids.status == 0 && ids.errors.isEmpty && ids.output.count > 10, "\(ids.errors)")
        expectRefusal("uf-tokenize text --tokenizer . t", "uf-tokenize: ./encoder.json: has 330 tokens, which is no known model's, and says neither")
        expectRefusal("uf-tokenize text --tokenizer . --tokenizer-family bert t", "uf-tokenize: The value 'bert' is invalid for '--tokenizer-family <family>'. Please provide one of 'gpt2', ", status: 64)
        expectRefusal("head -n -3 vocab.bpe > cut; mv cut vocab.bpe; uf-tokenize rated.uf --tokenizer . --tokenizer-family qwen2 --template plain -o out.uf", "uf-tokenize: ./vocab.bpe: no merge makes ")
    }

    @Test func gpt2IsKnownByItsSize() throws {
        let made = run("gzip -dc \(Fixtures.path("tokenizers/gpt2/tokenizer.json.gz")) > gpt2")
        #expect(made.status == 0)
        let model = try #require(try JSON.parse(try readWholeFile(folder.file("gpt2")))["model"])
        try write("vocab.json", try #require(model["vocab"]).serialized())
        try write("merges.txt", Array("#version: 0.2\n".utf8) + (try #require(model["merges"]?.array)).flatMap { ($0.text?.bytes ?? []) + [0x0A] })
        let outcome = run(#"printf '"Hello  world 123"\n' > t; uf-tokenize text -v --tokenizer vocab.json t > ids; uf-tokenize text --tokenizer gpt2 t | cmp - ids; uf-tokenize decode --tokenizer . ids | cmp - t"#)
        #expect(outcome.status == 0 && outcome.errors == "uf-tokenize: vocab.json: taken for gpt2 because it has 50257 tokens: its pattern and its 1 added token\n", "\(outcome.errors)")
    }

    /// A GGUF brings its template, its special tokens and its context along.
    @Test func aGGUFSpeaksForItself() {
        makeRated()
        let outcome = run("uf-tokenize rated.uf --tokenizer \"$G/import-smollm.gguf\" --template plain -o tokens.uf && uf-records head tokens.uf")
        let head = String(decoding: outcome.output, as: UTF8.self)
        #expect(outcome.status == 0 && head.contains("context_length = 256") && head.contains("--bos '<|im_start|>' --eos '<|im_end|>'"), "\(outcome.errors)\(head)")
        let template = run("uf-tokenize rated.uf --tokenizer \"$G/import-smollm.gguf\" --template auto -o out.uf")
        #expect(template.status == 65 && template.errors.contains("import-smollm.gguf: tokenizer.chat_template puts no special token"), "\(template.errors)")
    }

    /// A model folder whose vocabulary is a SentencePiece model: the shards that it made fit it, those of another tokenizer do not, and training takes it along.
    @Test func modelFoldersOfOtherForms() throws {
        makeRated()
        let made = run("mkdir m && cp $M/config.json $M/model.safetensors m && chmod -R u+w m")
        #expect(made.status == 0, "\(made.errors)")
        try write("m/tokenizer.model", try sentencePiece())
        let chain = run(
            """
            set -e -o pipefail
            uf-tokenize rated.uf --tokenizer m --template plain --bos '<s>' --eos '</s>' | uf-pack --model m --overlong drop -o packed.uf
            uf-eval score packed.uf --model m -o scores.uf
            uf-train m --data packed.uf --batch 2 --warmup 0 -o trained
            cmp m/tokenizer.model trained/tokenizer.model
            uf-tokenize rated.uf --tokenizer $M --template plain -o foreign.tokens.uf
            uf-pack foreign.tokens.uf --model $M --overlong drop -o foreign.uf
            """)
        #expect(chain.status == 0, "\(chain.errors)")
        expectRefusal("uf-pack foreign.tokens.uf --model m -o out.uf", "uf-pack: foreign.tokens.uf: its token ids were made with the tokenizer of sha256 ")
        expectRefusal("uf-eval score foreign.uf --model m -o out.uf", "uf-eval: foreign.uf: its token ids were made with the tokenizer of sha256 ")
        expectRefusal("uf-train m --data foreign.uf -o out", "uf-train: foreign.uf: its token ids were made with the tokenizer of sha256 ")
        expectRefusal("rm m/tokenizer.model; uf-eval score packed.uf --model m -o out.uf", "uf-eval: m: holds no tokenizer.json (nor encoder.json ", status: 66)
        expectRefusal("uf-train m --data packed.uf -o out", "uf-train: m: holds no tokenizer to compare with that of packed.uf", status: 66)
    }

    // MARK: bad input

    /// Every form cut at many places: refused, by name, wherever the cut is.
    @Test func cutVocabularies() throws {
        makeRated()
        try writePair()
        let forms: [(name: String, bytes: [UInt8])] = [
            ("tokenizer.json", try readWholeFile(Self.stories + "/tokenizer.json")), ("t.model", try sentencePiece()), ("vocab.bpe", try readWholeFile(folder.file("vocab.bpe"))),
            ("encoder.json", try readWholeFile(folder.file("encoder.json"))), ("t.gguf", try readWholeFile(Fixtures.path("gguf/import-llama.gguf"))),
        ]
        for (name, bytes) in forms {
            let family = ["vocab.bpe", "encoder.json"].contains(name) ? "--tokenizer-family qwen2" : ""
            // The last line of merges needs its last letter, JSON its last bracket; what is in front of those, and a lone newline behind, is no damage.
            for part in 0 ..< 24 {
                try write(name, Array(bytes.prefix(bytes.count * part / 24)))
                expectRefusal("uf-tokenize rated.uf --tokenizer \(name) \(family) --template plain -o out.uf", "uf-tokenize: \(name): ")
            }
            try write(name, Array(bytes.dropLast(2)))
            expectRefusal("uf-tokenize rated.uf --tokenizer \(name) \(family) --template plain -o out.uf", "uf-tokenize: \(name): ")
            try write(name, bytes)
        }
    }

    @Test(arguments: [
        ("unknown model", #""type":"BPE""#, #""type":"WordPiece""#, #"model.type: "WordPiece" is not supported, expected "BPE""#),
        ("hole", #""c":2"#, #""c":9"#, "the vocabulary has a hole: no token has id 2, but ids go up to 9"),
        ("the same id twice", #""c":2"#, #""c":1"#, #"model.vocab: "b" and "c" have the same id 1"#),
        ("the same token twice", #""c":2"#, #""b":2"#, #"model.vocab: "b" stands twice"#),
        ("a merge of no token", #""a b""#, #""a x""#, #"model.merges[0]: "x" is not in model.vocab"#),
        ("a merge to no token", #""a b""#, #""b c""#, #"model.merges[0]: "b" and "c" join to "bc", which is not in model.vocab"#),
    ])
    func inconsistentTokenizerJSON(_ what: String, _ old: String, _ new: String, _ message: String) throws {
        makeRated()
        let whole = #"{"added_tokens":[{"id":4,"content":"</s>","special":true}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":1,"c":2,"ab":3},"merges":["a b"]}}"#
        #expect(whole.contains(old), "\(what)")
        try write("t.json", Array(whole.utf8))
        let ids = run(#"echo '"abc"' | uf-tokenize text --tokenizer t.json; echo '[3,4,0]' | uf-tokenize decode --tokenizer t.json"#)
        #expect(ids.status == 0 && ids.output == Array("[3,2]\n\"ab</s>a\"\n".utf8), "\(ids.errors)")
        expectRefusal("echo '[5]' | uf-tokenize decode --tokenizer t.json -o out", "uf-tokenize: standard input: line 1: token id 5 is not in the vocabulary of 5")
        try write("t.json", Array(whole.replacing(old, with: new).utf8))
        expectRefusal("uf-tokenize rated.uf --tokenizer t.json --template plain --bos none --eos '</s>' -o out.uf", "uf-tokenize: t.json: " + message)
    }
}
