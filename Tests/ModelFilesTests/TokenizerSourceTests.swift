import Glibc
import JSON
import SystemIO
import TestSupport
import Testing
@testable import ModelFiles

/// Vocabularies in every form: what is made of the published ones, and what is said of damaged ones.
@Suite struct TokenizerSourceTests {
    private let folder = TemporaryFolder()

    private func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = folder.file(name)
        let sink = FileSink(descriptor: open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644), name: path, closes: true)
        try sink.write(bytes)
        try sink.finish()
        return path
    }

    /// What is said of a file, without the temporary folder's path.
    private func refusal(_ path: String, _ family: TokenizerFamily? = nil) -> String {
        message { _ = try TokenizerSource(path: path, family: family) }.replacing(folder.path + "/", with: "")
    }

    // MARK: published files

    static let hasShared = SharedFolder.has("tokenizers/README.md")

    private func unpacked(_ file: String, as name: String) throws -> String {
        let path = try #require(SharedFolder.path("tokenizers/" + file)), target = folder.file(name)
        #expect(system("gzip -dcf < '\(path)' > '\(target)'") == 0)
        return target
    }

    /// Vocabulary, merges in their order and added tokens are those that Hugging Face's rules make of the same files.
    @Test(.enabled(if: hasShared, "needs the shared folder's tokenizers"), arguments: [
        ("gpt2", [("gpt2/encoder.json.gz", "encoder.json"), ("gpt2/vocab.bpe.gz", "vocab.bpe")], nil, TokenizerFamily.gpt2),
        ("llama3", [("llama3/tokenizer.model.gz", "tokenizer.model")], nil, .llama3),
        ("llama3.2", [("llama3/tokenizer.model.gz", "tokenizer.model")], .llama31, .llama31),
        ("qwen2", [("qwen2/qwen.tiktoken.gz", "qwen.tiktoken")], nil, .qwen2),
        ("qwen2.5", [("qwen2/qwen.tiktoken.gz", "qwen.tiktoken")], .qwen25, .qwen25),
        ("llama2", [("llama2/tokenizer.model", "tokenizer.model")], nil, nil),
        ("mistral-v1", [("mistral-v1/tokenizer.model", "tokenizer.model")], nil, nil),
    ] as [(String, [(String, String)], TokenizerFamily?, TokenizerFamily?)])
    func becomesTheTokenizerThatIsKnown(_ name: String, _ files: [(String, String)], _ asked: TokenizerFamily?, _ family: TokenizerFamily?) throws {
        for (file, target) in files { _ = try unpacked(file, as: target) }
        let source = try TokenizerSource(path: folder.path, family: asked)
        #expect(source.family == family && (source.assumption == nil) == (asked == family))
        let got = try JSON.parse(source.json), want = try JSON.parse(try readWholeFile(try unpacked("\(name)/tokenizer.json.gz", as: "want.json")))
        #expect(try got["added_tokens"]?.canonical == want["added_tokens"]?.canonical)
        #expect(try got["model"]?["vocab"]?.canonical == want["model"]?["vocab"]?.canonical)
        let gotMerges = try #require(got["model"]?["merges"]?.array), wantMerges = try #require(want["model"]?["merges"]?.array)
        #expect(gotMerges.count == wantMerges.count)
        if let rank = zip(gotMerges, wantMerges).enumerated().first(where: { $0.element.0 != $0.element.1 })?.offset { Issue.record("merge \(rank): \(gotMerges[rank]) instead of \(wantMerges[rank])") }
        for key in ["normalizer"] { #expect(try got[key]?.canonical == want[key]?.canonical) }
        for key in ["unk_token", "byte_fallback", "ignore_merges", "fuse_unk"] { #expect(got["model"]?[key] == want["model"]?[key], "\(key)") }
    }

    /// The pieces of a GGUF as a SentencePiece model: the same vocabulary and the same merges.
    @Test func sentencePieceAndGGUFAgree() throws {
        let path = Fixtures.path("gguf/import-llama.gguf"), file = try GGUFFile(path: path)
        let tokens = try file.strings("tokenizer.ggml.tokens"), scores = try file.floats("tokenizer.ggml.scores"), types = try file.integers("tokenizer.ggml.token_type")
        let builder = SentencePieceBuilder(tokens.indices.map { (tokens[$0], scores[$0], UInt64(types[$0])) })
        let got = try TokenizerSource(path: try write("any.model", builder.bytes)), want = try TokenizerSource(path: path)
        #expect(try JSON.parse(got.json).canonical == JSON.parse(want.json).canonical)
        #expect(got.family == nil && got.assumption == nil && !got.isPair && got.digest != want.digest)
    }

    /// A GGUF without weights, made of SmolLM2's published tokenizer.json as converters make it.
    private func smolLM2(_ change: (inout [String], inout [String]) -> Void = { _, _ in }) throws -> (path: String, published: JSONValue) {
        #expect(system("gzip -dc '\(Fixtures.path("tokenizers/smollm2/tokenizer.json.gz"))' > '\(folder.file("published.json"))'") == 0)
        let published = try JSON.parse(try readWholeFile(folder.file("published.json"))), model = try #require(published["model"])
        var tokens = try #require(model["vocab"]?.object).sorted { ($0.value.int ?? 0) < ($1.value.int ?? 0) }.map(\.key.description)
        var merges = try #require(model["merges"]?.array).map { $0.string ?? "" }
        let special = Set(try #require(published["added_tokens"]?.array).compactMap { $0["content"]?.string })
        let types = tokens.map { special.contains($0) ? Int32(3) : 1 }
        change(&tokens, &merges)
        var builder = GGUFBuilder()
        builder.add("tokenizer.ggml.model", "gpt2")
        builder.add("tokenizer.ggml.pre", "smollm")
        builder.add("tokenizer.ggml.tokens", tokens)
        builder.add("tokenizer.ggml.token_type", integers: types)
        builder.add("tokenizer.ggml.merges", merges)
        builder.add("tokenizer.ggml.bos_token_id", UInt32(1))
        builder.add("tokenizer.ggml.add_bos_token", false)
        return (try write("vocabulary.gguf", builder.bytes), published)
    }

    @Test func aVocabularyAloneInAGGUF() throws {
        let (path, published) = try smolLM2(), source = try TokenizerSource(path: path), got = try JSON.parse(source.json)
        for key in ["model", "added_tokens", "normalizer", "pre_tokenizer", "post_processor"] { #expect(try got[key]?.canonical == published[key]?.canonical, "\(key)") }
        #expect(try source.digest == TokenizerFiles.digest([path]))
        let files = try TokenizerFiles(beside: path)
        #expect(try files.specialTokens() == (.named("<|im_start|>"), .unsaid) && files.contextLength() == nil && files.chatTemplateSource() == nil)
    }

    @Test func damagedVocabularyInAGGUF() throws {
        #expect(try refusal(smolLM2 { tokens, _ in tokens[300] = tokens[299] }.path).hasPrefix("vocabulary.gguf: tokens 299 and 300 are the same: "))
        #expect(try refusal(smolLM2 { tokens, _ in tokens.removeLast() }.path) == "vocabulary.gguf: tokenizer.ggml.token_type has 49152 entries for 49151 tokens")
        #expect(try refusal(smolLM2 { tokens, _ in tokens = [] }.path) == "vocabulary.gguf: tokenizer.ggml.tokens is empty")
        #expect(try refusal(smolLM2 { _, merges in merges[7] = "Ġ \u{10FFFF}" }.path) == "vocabulary.gguf: merge 7, \"Ġ \u{10FFFF}\", does not join two tokens to a third")
    }

    @Test func digestsAreOfTheFilesInARow() throws {
        _ = try write("encoder.json", Array(#"{"a":0,"b":1,"ab":2}"#.utf8))
        let merges = try write("vocab.bpe", Array("#version: 0.2\na b\n".utf8))
        let both = try write("both", Array(#"{"a":0,"b":1,"ab":2}"#.utf8) + Array("#version: 0.2\na b\n".utf8))
        let pair = try TokenizerSource(path: merges, family: .gpt2)
        #expect(pair.isPair && pair.name == folder.file("encoder.json"))
        #expect(try pair.digest == TokenizerFiles.digest([both]))
        #expect(try TokenizerFiles(folder: folder.path).vocabularyDigest() == pair.digest)
        #expect(try TokenizerSource(path: folder.path, family: .gpt2).json == pair.json)
    }

    // MARK: damaged ones

    @Test(arguments: [
        (#"{"a":0,"b":1,"ab":3}"#, "a b", "encoder.json: the vocabulary has a hole: no token has id 2, but ids go up to 3"),
        (#"{"a":0,"b":1,"ab":1}"#, "a b", #"encoder.json: "ab" and "b" have the same id 1"#),
        (#"{"a":0,"b":1,"a":2}"#, "a b", #"encoder.json: "a" stands twice"#),
        (#"{"a":0,"b":1,"ab":-1}"#, "a b", #"encoder.json: the id of "ab" is -1; a whole number from 0 to 16777215 was expected"#),
        (#"{"a":0,"b":1,"ab":"x"}"#, "a b", #"encoder.json: the id of "ab" is a string; a whole number from 0 to 16777215 was expected"#),
        ("[]", "a b", "encoder.json: an object of tokens and ids was expected, found an array"),
        ("{}", "", "encoder.json: holds no tokens"),
        (#"{"a":0,"b":1,"ab":2}"#, "", #"vocab.bpe: no merge makes "ab", which encoder.json has with id 2; the file is cut, or belongs to another vocabulary"#),
        (#"{"a":0,"b":1,"ab":2}"#, "a b\na c", #"vocab.bpe: line 3: "c" is not in encoder.json"#),
        (#"{"a":0,"b":1,"ab":2}"#, "a b\nb a", #"vocab.bpe: line 3: "ba" is not in encoder.json"#),
        (#"{"a":0,"b":1,"ab":2}"#, "a b\na b", "vocab.bpe: line 3: the same merge as on line 2"),
        (#"{"a":0,"b":1,"ab":2}"#, "a b\n\n", #"vocab.bpe: line 3: ""; two tokens with one space between were expected"#),
        (#"{"a":0,"b":1,"ab":2}"#, "a  b", #"vocab.bpe: line 2: "a  b"; two tokens with one space between were expected"#),
    ])
    func damagedPair(_ encoder: String, _ merges: String, _ expected: String) throws {
        _ = try write("encoder.json", Array(encoder.utf8))
        _ = try write("vocab.bpe", Array("#version: 0.2\n\(merges)".utf8))
        #expect(refusal(folder.path, .gpt2) == expected)
    }

    @Test func pairsThatAreNotWhole() throws {
        let encoder = try write("vocab.json", Array(#"{"a":0,"b":1,"ab":2}"#.utf8))
        #expect(refusal(encoder) == "merges.txt: missing; vocab.json is half a vocabulary without it")
        _ = try write("merges.txt", Array("a b\n".utf8))
        #expect(refusal(encoder) == "vocab.json: has 3 tokens, which is no known model's, and says neither how text is cut nor which tokens are special; say --tokenizer-family (gpt2, llama3, llama3.1, qwen2, qwen2.5), or take the model's tokenizer.json")
        #expect(refusal(encoder, .qwen2) == "(no error)")
        _ = try write("vocab.json", Array(#"{"a":0,"b":1"#.utf8))
        #expect(refusal(encoder).hasPrefix("vocab.json: line 1, column "))
    }

    @Test(arguments: [
        ("", "t: empty; lines of base64 and a rank were expected"),
        ("IQ== 0\nI!== 1\n", #"t: line 2: "I!==" is not the base64 of a token of 1 to 256 bytes"#),
        ("IQ== 0\nIg= 1\n", #"t: line 2: "Ig=" is not the base64 of a token of 1 to 256 bytes"#),
        ("IQ== 0\nIh== 1\n", #"t: line 2: "Ih==" is not the base64 of a token of 1 to 256 bytes"#),
        ("IQ== 0\n 1\n", #"t: line 2: "" is not the base64 of a token of 1 to 256 bytes"#),
        ("IQ== 0\nIg==\n", #"t: line 2: "Ig=="; base64, a space and a rank were expected"#),
        ("IQ== 0\n\nIg== 1\n", #"t: line 2: ""; base64, a space and a rank were expected"#),
        ("IQ== 0\nIg== -1\n", #"t: line 2: the rank is "-1"; a whole number was expected"#),
        ("IQ== 0\nIg== 1 2\n", #"t: line 2: the rank is "1 2"; a whole number was expected"#),
        ("IQ== 0\nIg== 999999999999999999999\n", #"t: line 2: the rank is "999999999999999999999"; a whole number was expected"#),
        ("IQ== 0\nIg== 0\n", "t: line 2: rank 0 stands on line 1 too"),
        ("IQ== 0\nIQ== 1\n", "t: line 2: the same token as on line 1"),
        ("IQ== 0\nIg== 2\n", "t: the ranks have a hole: no line has rank 1, but ranks go up to 2"),
    ])
    func damagedRanks(_ text: String, _ expected: String) { #expect(message { _ = try RankFile(Array(text.utf8), name: "t") } == expected) }

    @Test func ranksOfUnknownSize() throws {
        let path = try write("x.tiktoken", Array("IQ== 0\nIg== 1\n".utf8))
        #expect(refusal(path) == "x.tiktoken: has 2 tokens, which is no model's whose pattern and special tokens are known (gpt2 has 50256, llama3 has 128000, llama3.1 has 128000, qwen2 has 151643, qwen2.5 has 151643); the file is cut, or take the model's tokenizer.json")
        #expect(refusal(path, .llama3) == "x.tiktoken: has 2 tokens, those of llama3 are 128000; the file is cut, or of another model")
        // Ranks decide the order of merges, not the order of lines.
        let text = "IWEi 5\nYSI= 4\nIWE= 3\nYQ== 1\nIQ== 0\nIg== 2", file = try RankFile(Array(text.utf8), name: "t")
        #expect(try file.vocabulary(.llama3, name: "t").merges.map { [$0.left, $0.right] } == [[0, 1], [1, 2], [0, 4], [3, 2]])
        #expect(try file.vocabulary(.qwen2, name: "t").merges.map { [$0.left, $0.right] } == [[0, 1], [1, 2], [3, 2]])
        // Without !a and a" nothing makes !a".
        let lacking = try RankFile(Array("IWEi 3\nYQ== 1\nIQ== 0\nIg== 2".utf8), name: "t")
        #expect(message { _ = try lacking.vocabulary(.qwen2, name: "t") }
            == #"t: the tokens of lower rank do not merge to that of rank 3, "!a""; the file is damaged, or of another model than qwen2"#)
        for bytes in [[], [0], [0xFF, 0xFE], Array("abcd".utf8), Array(0 ... 255)] as [[UInt8]] {
            #expect(Base64.decoded(VocabularyForms.base64(bytes)[...]) == bytes)
        }
    }

    // MARK: SentencePiece

    static let whole = SentencePieceBuilder.standard(["▁", "a", "b", "ab", "▁a", "▁ab"].enumerated().map { (Array($0.element.utf8), -Float($0.offset), 1) })

    @Test func everyCutOfASentencePieceModelIsRefused() throws {
        let bytes = Self.whole.bytes
        _ = try SentencePieceModel(bytes, name: "t").tokenizer()
        for count in 1 ..< bytes.count {
            let said = message { _ = try SentencePieceModel(Array(bytes.prefix(count)), name: "t").tokenizer() }
            #expect(said.hasPrefix("t: "), "cut to \(count) of \(bytes.count): \(said)")
        }
    }

    @Test func sentencePieceModelsOfOtherKinds() throws {
        func said(_ change: (inout SentencePieceBuilder) -> Void) throws -> String {
            var builder = Self.whole
            change(&builder)
            return refusal(try write("t.model", builder.bytes))
        }
        #expect(try said { _ in } == "(no error)")
        #expect(try said { $0.trainer[0].value = 1 } == "t.model: trainer_spec.model_type: unigram is not supported, only bpe is")
        #expect(try said { $0.trainer.append((24, 1)) } == "t.model: trainer_spec.treat_whitespace_as_suffix is not supported")
        #expect(try said { $0.normalizer[1].value = 1 } == "t.model: normalizer_spec.remove_extra_whitespaces is not supported, false was expected")
        #expect(try said { $0.normalizer[2].value = 0 } == "t.model: normalizer_spec.escape_whitespaces: false is not supported")
        #expect(try said { $0.rules = [1, 2, 3] } == #"t.model: normalizer_spec: the normalisation rules "nmt_nfkc" are not supported, only identity is"#)
        #expect(try said { $0.trainer[2].value = 1 } == "t.model: trainer_spec.unk_id is 1, which is no unknown piece of the 265 pieces there; the file is cut or damaged")
        #expect(try said { $0.trainer[3].value = 1 << 20 } == "t.model: trainer_spec.bos_id is 1048576, which is no control piece of the 265 pieces there; the file is cut or damaged")
        #expect(try said { $0.pieces.remove(at: 10) } == "t.model: 255 byte pieces with trainer_spec.byte_fallback true; 256 were expected")
        #expect(try said { $0.pieces[10].text = Array("<0xZZ>".utf8) } == #"t.model: piece 10 is "<0xZZ>" and of type byte; <0x00> to <0xFF> were expected"#)
        #expect(try said { $0.pieces[262].text = Array("a".utf8) } == "t.model: tokens 260 and 262 are the same: a")
        #expect(try said { $0.pieces[262].text = [] } == "t.model: token 262 is empty, longer than 1024 bytes or not valid UTF-8")
        #expect(try said { $0.pieces[262].text = [0xFF] } == "t.model: token 262 is empty, longer than 1024 bytes or not valid UTF-8")
        #expect(try said { $0.pieces[262].score = .nan } == "t.model: token 262 has no score (NaN)")
        #expect(try said { $0.pieces[262].type = 9 }.hasSuffix("piece 262 has the type 9; 1 to 6 are known"))
        // No first token, and no space in front of a text, where the model says so.
        let json = try JSON.parse(try TokenizerSource(path: try write("n.model", {
            var builder = Self.whole
            builder.trainer[3].value = UInt64.max
            builder.normalizer[0].value = 0
            return builder.bytes
        }())).json)
        #expect(json["post_processor"] == .null && json["normalizer"]?["normalizers"]?.array?.count == 1 && json["decoder"]?["decoders"]?.array?.count == 3)
    }

    @Test(arguments: [
        ([0x0A], "t: byte 1: ends inside a number; the file is cut or damaged"),
        ([0x0A, 0x05, 0x0A], "t: byte 0: field 1 is announced with 5 bytes, 1 are there; the file is cut or damaged"),
        ([0x0A, 0x04, 0x0A, 0x7F, 0x61, 0x61], "t: byte 2: field 1 is announced with 127 bytes, 2 are there; the file is cut or damaged"),
        ([0x0A] + [UInt8](repeating: 0xFF, count: 11), "t: byte 1: a number of more than ten bytes; the file is damaged"),
        ([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], "t: byte 0: field 1 is announced with 18446744073709551615 bytes, 0 are there; the file is cut or damaged"),
        ([0x0A, 0x02, 0x15, 0x00], "t: byte 3: ends inside a number; the file is cut or damaged"),
        ([0x0A, 0x02, 0x08, 0x00], "t: byte 2: field 1 of piece 0 has another type than that of a SentencePiece model"),
        ([0x08, 0x01], "t: byte 0: field 1 of a SentencePiece model should be a message"),
        ([0x0B], "t: byte 0: no field of a protobuf message starts here"),
        ([0x02, 0x00], "t: byte 0: no field of a protobuf message starts here"),
        ([], "t: holds no pieces; is this a SentencePiece model?"),
    ] as [([UInt8], String)])
    func damagedProtobuf(_ bytes: [UInt8], _ expected: String) { #expect(message { _ = try SentencePieceModel(bytes, name: "t") } == expected) }

    // MARK: choosing

    @Test func choosesTheFormByWhatIsThere() throws {
        #expect(refusal(try write("t", Array("hello\n".utf8)))
            == "t: is no vocabulary: a tokenizer.json, encoder.json with vocab.bpe, a file of ranks (tiktoken), a SentencePiece model or a GGUF was expected")
        #expect(refusal(try write("t.gz", [0x1F, 0x8B, 8, 0])) == "t.gz: compressed by gzip; unpack it first (gzip -dk \(folder.path)/t.gz)".replacing(folder.path + "/", with: ""))
        #expect(refusal(try write("t.json", Array("{}".utf8)), .gpt2) == "t.json: says itself how text is cut and which tokens are special; leave --tokenizer-family out")
        #expect(refusal(folder.file("absent")) == "absent: cannot be opened for reading: No such file or directory")
        #expect(refusal(try write("g", Array("GGUF".utf8))) == "g: byte 4: the file ends inside the version; 4 bytes were expected, 0 are there: fetch the file again")
        let files = TokenizerFiles(folder: folder.path)
        #expect(files.vocabulary.isEmpty)
        #expect(try files.vocabularyDigest() == nil)
        for (name, expected) in [("qwen.tiktoken", ["qwen.tiktoken"]), ("tokenizer.model", ["tokenizer.model"]), ("merges.txt", ["tokenizer.model"]), ("vocab.json", ["vocab.json", "merges.txt"]),
                                 ("vocab.bpe", ["vocab.json", "merges.txt"]), ("encoder.json", ["encoder.json", "vocab.bpe"]), ("tokenizer.json", ["tokenizer.json"])] {
            _ = try write(name, [0x20])
            #expect(files.vocabulary == expected.map { folder.file($0) }, "\(name)")
        }
    }
}
