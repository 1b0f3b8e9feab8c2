import Glibc
import JSON
import SystemIO

/// What the metadata of a GGUF of architecture `llama` says about the model, in the terms of a Hugging Face LlamaForCausalLM.
struct LlamaConfiguration {
    let vocabulary: Int
    let hidden: Int
    let layers: Int
    let feedForward: Int
    let heads: Int
    let keyValueHeads: Int
    let headSize: Int
    let context: Int
    let epsilon: Float
    let ropeBase: Float
    let ropeScaling: JSONValue?
    let isTied: Bool
    let hasAttentionBias: Bool

    init(_ file: GGUFFile) throws {
        guard let architecture = try file.optionalString("general.architecture") else { throw file.error("general.architecture is missing: this is no model file") }
        guard architecture == "llama" else { throw file.error("the architecture is \(architecture); only llama is supported") }
        if let count = try file.optionalInteger("split.count"), count > 1 { throw file.error("one of \(count) parts of a split file; join them first (llama-gguf-split --merge)") }
        if let experts = try file.optionalInteger("llama.expert_count"), experts > 0 { throw file.error("a mixture of \(experts) experts, which is not supported") }
        // Each of these changes what the model computes, and LlamaForCausalLM has no place for it.
        for key in ["llama.logit_scale", "llama.embedding_scale", "llama.residual_scale", "llama.attention.scale", "llama.attention.clamp_kqv"] where file.metadata[key] != nil {
            throw file.error("\(key) is set, which is not supported")
        }
        guard let embedding = file.tensor("token_embd.weight"), embedding.shape.count == 2 else { throw file.error("the tensor token_embd.weight is missing or is no matrix: this file holds no whole model") }
        vocabulary = embedding.shape[0]
        hidden = try file.size("llama.embedding_length")
        layers = try file.size("llama.block_count")
        guard layers <= file.tensors.count else { throw file.error("llama.block_count is \(layers); the file has \(file.tensors.count) tensors in all") }
        feedForward = try file.size("llama.feed_forward_length")
        heads = try file.size("llama.attention.head_count")
        keyValueHeads = file.metadata["llama.attention.head_count_kv"] == nil ? heads : try file.size("llama.attention.head_count_kv")
        context = try file.size("llama.context_length")
        guard let epsilon = try file.optionalFloat("llama.attention.layer_norm_rms_epsilon"), epsilon > 0 else {
            throw file.error("llama.attention.layer_norm_rms_epsilon is missing or not above 0")
        }
        self.epsilon = epsilon
        ropeBase = try file.optionalFloat("llama.rope.freq_base") ?? 10000
        guard ropeBase > 0 else { throw file.error("llama.rope.freq_base is \(ropeBase); a number above 0 was expected") }
        headSize = file.metadata["llama.attention.key_length"] == nil ? hidden / heads : try file.size("llama.attention.key_length")
        guard headSize > 0, headSize % 2 == 0, heads % keyValueHeads == 0 else {
            throw file.error("\(heads) heads of \(headSize) over \(keyValueHeads) key/value heads do not fit together")
        }
        if let size = try file.optionalInteger("llama.attention.value_length"), size != headSize { throw file.error("values of \(size) beside keys of \(headSize) are not supported") }
        if let size = try file.optionalInteger("llama.rope.dimension_count"), size != headSize { throw file.error("rotary embedding over \(size) of \(headSize) dimensions is not supported") }
        ropeScaling = try LlamaConfiguration.ropeScaling(file, headSize: headSize, base: ropeBase)
        isTied = file.tensor("output.weight") == nil
        hasAttentionBias = file.tensor("blk.0.attn_q.bias") != nil
    }

    // MARK: rotary scaling

    private static func ropeScaling(_ file: GGUFFile, headSize: Int, base: Float) throws -> JSONValue? {
        let type = try file.optionalString("llama.rope.scaling.type") ?? "none"
        if let factors = file.tensor("rope_freqs.weight") {
            guard type == "none" else { throw file.error("rotary scaling of type \(type) together with rope_freqs.weight is not supported") }
            return try llama3Scaling(file, file.floats(factors), headSize: headSize, base: base)
        }
        switch type {
        case "none": return nil
        case "linear":
            guard let factor = try file.optionalFloat("llama.rope.scaling.factor"), factor > 0 else { throw file.error("llama.rope.scaling.factor is missing or not above 0") }
            return ["rope_type": "linear", "factor": JSONValue(factor)]
        default: throw file.error("rotary scaling of type \(type) is not supported (none, linear and llama3 are)")
        }
    }

    /// Llama 3.1 and later store the divisor of each frequency instead of the rule that made it. The rule has been published with one set of numbers besides the
    /// factor (low 1, high 4, first trained at 8192), and the factor is the last divisor: it is taken when it gives every divisor again, and refused otherwise.
    private static func llama3Scaling(_ file: GGUFFile, _ divisors: [Float], headSize: Int, base: Float) throws -> JSONValue? {
        guard divisors.count == headSize / 2, let factor = divisors.last, factor.isFinite, factor >= 1 else {
            throw file.error("rope_freqs.weight has \(divisors.count) divisors ending in \(divisors.last ?? 0); \(headSize / 2) were expected, the last at least 1")
        }
        if divisors.allSatisfy({ $0 == 1 }) { return nil }
        let low = 1.0, high = 4.0, original = 8192.0
        for (place, divisor) in divisors.enumerated() {
            let frequency = pow(Double(base), -Double(2 * place) / Double(headSize)), wavelength = 2 * Double.pi / frequency
            let want: Double
            if wavelength < original / high {
                want = 1
            } else if wavelength > original / low {
                want = Double(factor)
            } else {
                let smooth = (original / wavelength - low) / (high - low)
                want = 1 / ((1 - smooth) / Double(factor) + smooth)
            }
            guard abs(Double(divisor) - want) <= 1e-4 * want else {
                throw file.error("rope_freqs.weight divides frequency \(place) by \(divisor), where the rule of Llama 3.1 gives \(Float(want)); other rules are not supported")
            }
        }
        return ["rope_type": "llama3", "factor": JSONValue(factor), "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192]
    }

    // MARK: config.json

    func json(_ tokens: SpecialTokens) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("architectures", ["LlamaForCausalLM"]), ("attention_bias", .bool(hasAttentionBias)), ("attention_dropout", 0.0),
            ("head_dim", JSONValue(headSize)), ("hidden_act", "silu"), ("hidden_size", JSONValue(hidden)), ("initializer_range", 0.02),
            ("intermediate_size", JSONValue(feedForward)), ("max_position_embeddings", JSONValue(context)), ("mlp_bias", false), ("model_type", "llama"),
            ("num_attention_heads", JSONValue(heads)), ("num_hidden_layers", JSONValue(layers)), ("num_key_value_heads", JSONValue(keyValueHeads)),
            ("rms_norm_eps", JSONValue(epsilon)), ("rope_scaling", ropeScaling ?? .null), ("rope_theta", JSONValue(ropeBase)),
            ("tie_word_embeddings", .bool(isTied)), ("torch_dtype", "float32"), ("use_cache", true), ("vocab_size", JSONValue(vocabulary)),
        ]
        members += tokens.ids
        return .object(members.sorted { $0.0 < $1.0 })
    }
}
