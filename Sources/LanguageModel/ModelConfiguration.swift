import JSON
import SystemIO

/// The shape of a Llama-family decoder, as `config.json` of a model folder states it.
public struct ModelConfiguration: Sendable, Equatable {
    public var hiddenSize: Int
    public var layers: Int
    public var heads: Int
    /// Key and value heads; each serves heads / keyValueHeads query heads (grouped-query attention, arXiv 2305.13245).
    public var keyValueHeads: Int
    public var headSize: Int
    /// Width of the feed-forward unit.
    public var intermediateSize: Int
    public var vocabularySize: Int
    /// Positions the model was made for; a token beyond them is refused.
    public var contextLength: Int
    public var normEpsilon: Double
    public var ropeBase: Double
    public var ropeScaling: RotaryScaling?
    /// The output weights are the embedding's.
    public var tiesEmbeddings: Bool

    public init(hiddenSize: Int, layers: Int, heads: Int, keyValueHeads: Int, headSize: Int, intermediateSize: Int, vocabularySize: Int,
                contextLength: Int, normEpsilon: Double = 1e-5, ropeBase: Double = 10000, ropeScaling: RotaryScaling? = nil, tiesEmbeddings: Bool) {
        self.hiddenSize = hiddenSize
        self.layers = layers
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.headSize = headSize
        self.intermediateSize = intermediateSize
        self.vocabularySize = vocabularySize
        self.contextLength = contextLength
        self.normEpsilon = normEpsilon
        self.ropeBase = ropeBase
        self.ropeScaling = ropeScaling
        self.tiesEmbeddings = tiesEmbeddings
    }

    /// Width of all query heads together.
    public var queryWidth: Int { heads * headSize }
    /// Width of all key (or value) heads together.
    public var keyValueWidth: Int { keyValueHeads * headSize }
}

/// Llama 3.1's stretching of the slow rotary frequencies to longer contexts (`rope_type` "llama3" of config.json).
public struct RotaryScaling: Sendable, Equatable {
    public var factor: Double
    public var lowFrequencyFactor: Double
    public var highFrequencyFactor: Double
    public var originalContext: Double

    public init(factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalContext: Double) {
        self.factor = factor
        self.lowFrequencyFactor = lowFrequencyFactor
        self.highFrequencyFactor = highFrequencyFactor
        self.originalContext = originalContext
    }
}

extension ModelConfiguration {
    /// Reads `config.json`. What the engine does not compute is refused by name, so that no model runs differently from its description.
    /// - Throws: `InputError` with the field, what stands there and what can stand there.
    public init(json: JSONValue) throws {
        guard json.object != nil else { throw InputError("expected an object with the model's configuration, found \(json.typeName)") }
        let fields = ConfigurationFields(json: json)
        let type = json["model_type"]?.string
        guard type == "llama" else {
            throw InputError("model_type is \(fields.shown("model_type")); supported: \"llama\"")
        }
        if let quantization = json["quantization_config"], !quantization.isNull {
            throw InputError("quantization_config: quantized weights are not supported; give a model folder with float weights")
        }
        for name in ["attention_bias", "mlp_bias"] where try fields.bool(name, default: false) {
            throw InputError("\(name) is true; supported: false")
        }
        if let activation = json["hidden_act"], activation.string != "silu" {
            throw InputError("hidden_act is \(fields.shown("hidden_act")); supported: \"silu\"")
        }
        if let parallel = json["pretraining_tp"]?.int, parallel != 1 {
            throw InputError("pretraining_tp is \(parallel); supported: 1")
        }
        // What would change the computation, were it heeded: taken for granted it would give other log-probabilities in silence.
        if let share = json["partial_rotary_factor"], !share.isNull, share.double != 1 {
            throw InputError("partial_rotary_factor is \(fields.shown("partial_rotary_factor")); supported: 1")
        }
        for name in ["sliding_window", "attn_logit_softcapping", "final_logit_softcapping"] {
            if let value = json[name], !value.isNull { throw InputError("\(name) is \(fields.shown(name)); supported: null") }
        }
        let hidden = try fields.size("hidden_size", 1 << 17), heads = try fields.size("num_attention_heads", 1 << 12)
        let keyValueHeads = try fields.size("num_key_value_heads", 1 << 12, default: heads)
        guard heads % keyValueHeads == 0 else {
            throw InputError("num_attention_heads is \(heads), which is no multiple of num_key_value_heads, \(keyValueHeads)")
        }
        if json["head_dim"].map(\.isNull) ?? true, hidden % heads != 0 {
            throw InputError("hidden_size is \(hidden), which is no multiple of num_attention_heads, \(heads), and there is no head_dim")
        }
        let headSize = try fields.size("head_dim", 1 << 12, default: hidden / heads)
        guard headSize % 2 == 0 else { throw InputError("head_dim is \(headSize); the rotary embedding needs an even number") }
        let (base, scaling) = try ModelConfiguration.rotary(fields)
        let epsilon = try fields.number("rms_norm_eps", default: 1e-6)
        guard epsilon >= 0, epsilon < 1 else { throw InputError("rms_norm_eps is \(epsilon); expected 0 <= rms_norm_eps < 1") }
        self.init(hiddenSize: hidden, layers: try fields.size("num_hidden_layers", 1 << 10), heads: heads, keyValueHeads: keyValueHeads, headSize: headSize,
                  intermediateSize: try fields.size("intermediate_size", 1 << 20), vocabularySize: try fields.size("vocab_size", 1 << 22),
                  contextLength: try fields.size("max_position_embeddings", 1 << 24), normEpsilon: epsilon, ropeBase: base, ropeScaling: scaling,
                  tiesEmbeddings: try fields.bool("tie_word_embeddings", default: false))
        // The factors are bounded, so none of these products can overflow; their sum bounds what a small file can make us allocate.
        guard parameterCount < 1 << 40 else { throw InputError("the configuration describes \(parameterCount) parameters") }
    }

    /// Numbers in all tensors together.
    public var parameterCount: Int {
        let attention = 2 * hiddenSize * queryWidth + 2 * hiddenSize * keyValueWidth
        let layer = attention + 3 * hiddenSize * intermediateSize + 2 * hiddenSize
        return layers * layer + vocabularySize * hiddenSize * (tiesEmbeddings ? 1 : 2) + hiddenSize
    }

    /// `rope_theta` and `rope_scaling`, or both in `rope_parameters` as transformers 5 writes them.
    private static func rotary(_ fields: ConfigurationFields) throws -> (base: Double, scaling: RotaryScaling?) {
        var description = fields, place = "rope_scaling", base = try fields.number("rope_theta", default: 10000)
        var found = fields.json["rope_scaling"]
        if let parameters = fields.json["rope_parameters"], !parameters.isNull {
            place = "rope_parameters"
            found = parameters
        }
        if let found, !found.isNull {
            guard found.object != nil else { throw InputError("\(place) is \(found.typeName); expected an object or null") }
            description = ConfigurationFields(json: found, place: place + ".")
            base = try description.number("rope_theta", default: base)
        }
        guard base.isFinite, base > 0 else { throw InputError("rope_theta is \(base); expected a positive number") }
        guard let found, !found.isNull else { return (base, nil) }
        let key = found["rope_type"] == nil && found["type"] != nil ? "type" : "rope_type"
        switch found[key]?.string {
        case "default": return (base, nil)
        case "llama3":
            let scaling = RotaryScaling(factor: try description.number("factor"), lowFrequencyFactor: try description.number("low_freq_factor"),
                                        highFrequencyFactor: try description.number("high_freq_factor"),
                                        originalContext: try description.number("original_max_position_embeddings"))
            guard scaling.factor >= 1, scaling.lowFrequencyFactor > 0, scaling.highFrequencyFactor > scaling.lowFrequencyFactor,
                  scaling.originalContext >= 1 else {
                throw InputError("\(place): expected factor >= 1, 0 < low_freq_factor < high_freq_factor and original_max_position_embeddings >= 1")
            }
            return (base, scaling)
        default:
            throw InputError("\(place).\(key) is \(description.shown(key)); supported: \"default\", \"llama3\"")
        }
    }
}

/// Typed access to the members of an object, with the member's name in every error.
private struct ConfigurationFields {
    var json: JSONValue
    var place = ""

    func shown(_ name: String) -> String {
        guard let value = json[name] else { return "missing" }
        return value.string.map { "\"\($0)\"" } ?? value.found
    }

    /// A whole number from 1 to `limit`.
    func size(_ name: String, _ limit: Int, default fallback: Int? = nil) throws -> Int {
        guard let value = json[name], !value.isNull else {
            guard let fallback else { throw InputError("\(place)\(name) is missing") }
            return fallback
        }
        guard let number = value.int, number >= 1, number <= limit else {
            throw InputError("\(place)\(name) is \(shown(name)); expected a whole number from 1 to \(limit)")
        }
        return number
    }

    func number(_ name: String, default fallback: Double? = nil) throws -> Double {
        guard let value = json[name], !value.isNull else {
            guard let fallback else { throw InputError("\(place)\(name) is missing") }
            return fallback
        }
        guard let number = value.double, number.isFinite else { throw InputError("\(place)\(name) is \(shown(name)); expected a number") }
        return number
    }

    func bool(_ name: String, default fallback: Bool) throws -> Bool {
        guard let value = json[name], !value.isNull else { return fallback }
        guard let flag = value.bool else { throw InputError("\(place)\(name) is \(shown(name)); expected true or false") }
        return flag
    }
}
