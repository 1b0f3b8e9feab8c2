import JSON
import ModelFiles
import SystemIO
import Testing
import TestSupport
@testable import LanguageModel

struct ConfigurationTests {
    static let good = """
    {"model_type": "llama", "hidden_act": "silu", "hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 5, "num_attention_heads": 8,
     "num_key_value_heads": 4, "vocab_size": 512, "max_position_embeddings": 512, "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "tie_word_embeddings": true}
    """

    /// The good configuration with one member changed, or added.
    static func changed(_ name: String, _ value: String) throws -> JSONValue {
        guard case .object(var members) = try JSON.parse(good) else { return .null }
        members.removeAll { $0.key == name }
        if !value.isEmpty { members.append(JSONMember(Text(name), try JSON.parse(value))) }
        return .object(members)
    }

    @Test func readsWhatPublishedFoldersHold() throws {
        let configuration = try ModelConfiguration(json: try JSON.parse(ConfigurationTests.good))
        #expect(configuration == ModelConfiguration(hiddenSize: 64, layers: 5, heads: 8, keyValueHeads: 4, headSize: 8, intermediateSize: 172, vocabularySize: 512,
                                                    contextLength: 512, normEpsilon: 1e-5, ropeBase: 10000, tiesEmbeddings: true))
        #expect(configuration.parameterCount == 260_032)
        let layout = ParameterLayout(configuration)
        #expect(layout.tensors.reduce(0) { $0 + $1.range.count } == configuration.parameterCount)
        #expect(layout.tensors.count == 5 * 9 + 2)
        #expect(layout.tensor("lm_head.weight") == nil)
        #expect(ParameterLayout(try ModelConfiguration(json: try ConfigurationTests.changed("tie_word_embeddings", "false"))).tensors.last?.name == "lm_head.weight")
        // Heads that are wider or narrower than hidden_size / heads; no grouped queries.
        #expect(try ModelConfiguration(json: try ConfigurationTests.changed("head_dim", "16")).queryWidth == 128)
        #expect(try ModelConfiguration(json: try ConfigurationTests.changed("num_key_value_heads", "")).keyValueHeads == 8)
        // transformers 5 writes one object for everything rotary.
        let newer = try ModelConfiguration(json: try ConfigurationTests.changed("rope_parameters", #"{"rope_theta": 5e5, "rope_type": "default"}"#))
        #expect(newer.ropeBase == 5e5)
        let scaled = try ModelConfiguration(json: try ConfigurationTests.changed("rope_scaling", """
        {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 8192, "rope_type": "llama3"}
        """))
        #expect(scaled.ropeScaling == RotaryScaling(factor: 32, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 8192))
    }

    @Test(arguments: [
        ("model_type", #""qwen2""#, #"model_type is "qwen2"; supported: "llama""#),
        ("model_type", "", #"model_type is missing; supported: "llama""#),
        ("hidden_act", #""gelu""#, #"hidden_act is "gelu"; supported: "silu""#),
        ("attention_bias", "true", "attention_bias is true; supported: false"),
        ("mlp_bias", "true", "mlp_bias is true; supported: false"),
        ("partial_rotary_factor", "0.5", "partial_rotary_factor is 0.5; supported: 1"),
        ("sliding_window", "4096", "sliding_window is 4096; supported: null"),
        ("final_logit_softcapping", "30.0", "final_logit_softcapping is 30.0; supported: null"),
        ("mlp_bias", "1", "mlp_bias is 1; expected true or false"),
        ("quantization_config", #"{"bits": 4}"#, "quantization_config: quantized weights are not supported; give a model folder with float weights"),
        ("rope_scaling", #"{"type": "linear", "factor": 2}"#, #"rope_scaling.type is "linear"; supported: "default", "llama3""#),
        ("rope_scaling", #"{"rope_type": "yarn", "factor": 2}"#, #"rope_scaling.rope_type is "yarn"; supported: "default", "llama3""#),
        ("rope_scaling", #"{"rope_type": "llama3", "factor": 2}"#, "rope_scaling.low_freq_factor is missing"),
        ("rope_scaling", "[]", "rope_scaling is an array; expected an object or null"),
        ("rope_theta", "-1", "rope_theta is -1.0; expected a positive number"),
        ("hidden_size", "", "hidden_size is missing"),
        ("hidden_size", "0", "hidden_size is 0; expected a whole number from 1 to 131072"),
        ("hidden_size", #""64""#, #"hidden_size is "64"; expected a whole number from 1 to 131072"#),
        ("hidden_size", "9223372036854775807", "hidden_size is 9223372036854775807; expected a whole number from 1 to 131072"),
        ("hidden_size", "63", "hidden_size is 63, which is no multiple of num_attention_heads, 8, and there is no head_dim"),
        ("num_key_value_heads", "3", "num_attention_heads is 8, which is no multiple of num_key_value_heads, 3"),
        ("head_dim", "7", "head_dim is 7; the rotary embedding needs an even number"),
        ("num_hidden_layers", "1.5", "num_hidden_layers is 1.5; expected a whole number from 1 to 1024"),
        ("rms_norm_eps", "2", "rms_norm_eps is 2.0; expected 0 <= rms_norm_eps < 1"),
        ("pretraining_tp", "2", "pretraining_tp is 2; supported: 1"),
    ])
    func refusesByName(name: String, value: String, message: String) throws {
        let json = try ConfigurationTests.changed(name, value)
        #expect(throws: InputError(message)) { try ModelConfiguration(json: json) }
    }

    @Test func aSmallFileCannotDescribeAHugeModel() throws {
        var json = try ConfigurationTests.changed("vocab_size", "4194304")
        guard case .object(var members) = json else { return }
        for (name, value) in [("hidden_size", 131072), ("intermediate_size", 1048576), ("num_hidden_layers", 1024)] as [(String, Int64)] {
            members.removeAll { $0.key == name }
            members.append(JSONMember(Text(name), .integer(value)))
        }
        json = .object(members)
        #expect(throws: InputError.self) { try ModelConfiguration(json: json) }
    }

    /// Frequencies of Llama-3.2-1B (base 500000, heads of 64, factor 32), computed from the formula by hand for a short, a middle and a long wave.
    @Test func stretchesSlowFrequencies() {
        var configuration = TestModels.configuration(tied: true)
        configuration.headSize = 64
        configuration.ropeBase = 500_000
        let plain = RotaryEmbedding(configuration).frequencies
        configuration.ropeScaling = RotaryScaling(factor: 32, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 8192)
        let scaled = RotaryEmbedding(configuration).frequencies
        #expect(scaled[0] == 1)
        #expect(scaled[5] == plain[5])
        #expect(abs(scaled[31] - plain[31] / 32) < 1e-12)
        let middle = scaled.indices.filter { scaled[$0] != plain[$0] && abs(scaled[$0] - plain[$0] / 32) > 1e-9 }
        #expect(!middle.isEmpty)
        for pair in middle {
            let wave = 2 * Double.pi / plain[pair], smooth = (8192 / wave - 1) / 3
            #expect(abs(scaled[pair] / ((1 - smooth) * plain[pair] / 32 + smooth * plain[pair]) - 1) < 1e-5)
            #expect(wave > 2048 && wave < 8192)
        }
    }

    // MARK: Folders

    /// A folder with the tiny model, its tensors changed by `edit`.
    static func folder(_ edit: (inout [TensorSource]) -> Void) throws -> (TemporaryFolder, ModelFolder) {
        let temporary = TemporaryFolder(), path = temporary.file("model")
        let source = try ModelFolder(path: Fixtures.path("gradients/tiny-tied/reference"))
        var tensors = try Parameters(folder: source).tensorSources
        edit(&tensors)
        let writer = try ModelFolderWriter(path: path)
        try writer.write(config: source.config)
        try writer.write(weights: tensors)
        try writer.finish()
        return (temporary, try ModelFolder(path: path))
    }

    @Test func weightsComeBackAsWritten() throws {
        let before = try Parameters(folder: try ModelFolder(path: Fixtures.path("gradients/tiny-tied/reference")))
        let (temporary, folder) = try ConfigurationTests.folder { _ in }
        let after = try Parameters(folder: folder)
        #expect(before.values.all.map(\.bitPattern) == after.values.all.map(\.bitPattern))
        #expect(before.values.all.contains { $0 != 0 })
        withExtendedLifetime(temporary) {}
    }

    @Test func refusesTensorsThatDoNotFit() throws {
        func message(_ edit: (inout [TensorSource]) -> Void) throws -> String {
            let (temporary, folder) = try ConfigurationTests.folder(edit)
            defer { withExtendedLifetime(temporary) {} }
            do {
                _ = try Parameters(folder: folder)
                return "accepted"
            } catch { return "\(error)".replacing(folder.path, with: "MODEL") }
        }
        #expect(try message { $0.removeAll { $0.name == "model.norm.weight" } }
            == "MODEL/model.safetensors: the tensor model.norm.weight is missing; config.json asks for it with shape [32]")
        #expect(try message { tensors in
            tensors.removeAll { $0.name == "model.norm.weight" }
            tensors.append(TensorSource(name: "model.norm.weight", shape: [31], values: [Float](repeating: 1, count: 31)))
        } == "MODEL/model.safetensors: the tensor model.norm.weight has shape [31]; config.json asks for [32]")
        #expect(try message { $0.append(TensorSource(name: "model.layers.0.self_attn.q_proj.bias", shape: [32], values: [Float](repeating: 1, count: 32))) }
            == "MODEL: the tensor model.layers.0.self_attn.q_proj.bias is not part of a model of type \"llama\" as config.json describes it; merge adapters and remove what the model does not use")
        #expect(try message { $0.append(TensorSource(name: "lm_head.weight", shape: [1], values: [1])) } == "accepted")
    }
}
