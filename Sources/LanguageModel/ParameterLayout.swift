/// One tensor of a model: its Hugging Face name, its shape (row-major, [out][in] for a weight matrix) and where it lies in the arena.
public struct ParameterTensor: Sendable, Equatable {
    public let name: String
    public let shape: [Int]
    public let range: Range<Int>
}

/// All tensors of a configuration, one after another in one arena. Gradients and optimizer states have the same layout.
public struct ParameterLayout: Sendable, Equatable {
    public let configuration: ModelConfiguration
    /// In the order of the arena: embedding, layers, final norm, output weights.
    public let tensors: [ParameterTensor]
    /// Floats in the arena, the gaps that keep each tensor on its own cache lines included. A gap is zero and stays zero.
    public let count: Int

    let embedding: Int, finalNorm: Int
    /// Offset of the output weights; the embedding's when they are tied.
    let head: Int
    let layers: [LayerOffsets]
    private let places: [String: Int]

    /// Where one layer's tensors begin.
    struct LayerOffsets: Sendable, Equatable {
        var inputNorm = 0, query = 0, key = 0, value = 0, output = 0, feedForwardNorm = 0, gate = 0, up = 0, down = 0
    }

    public init(_ configuration: ModelConfiguration) {
        let c = configuration
        self.configuration = c
        var tensors: [ParameterTensor] = [], end = 0
        func place(_ name: String, _ shape: [Int]) -> Int {
            let start = end
            tensors.append(ParameterTensor(name: name, shape: shape, range: start ..< start + shape.reduce(1, *)))
            end = (start + shape.reduce(1, *) + 15) / 16 * 16
            return start
        }
        embedding = place("model.embed_tokens.weight", [c.vocabularySize, c.hiddenSize])
        var layers: [LayerOffsets] = []
        for layer in 0 ..< c.layers {
            let prefix = "model.layers.\(layer)."
            var offsets = LayerOffsets()
            offsets.inputNorm = place(prefix + "input_layernorm.weight", [c.hiddenSize])
            offsets.query = place(prefix + "self_attn.q_proj.weight", [c.queryWidth, c.hiddenSize])
            offsets.key = place(prefix + "self_attn.k_proj.weight", [c.keyValueWidth, c.hiddenSize])
            offsets.value = place(prefix + "self_attn.v_proj.weight", [c.keyValueWidth, c.hiddenSize])
            offsets.output = place(prefix + "self_attn.o_proj.weight", [c.hiddenSize, c.queryWidth])
            offsets.feedForwardNorm = place(prefix + "post_attention_layernorm.weight", [c.hiddenSize])
            offsets.gate = place(prefix + "mlp.gate_proj.weight", [c.intermediateSize, c.hiddenSize])
            offsets.up = place(prefix + "mlp.up_proj.weight", [c.intermediateSize, c.hiddenSize])
            offsets.down = place(prefix + "mlp.down_proj.weight", [c.hiddenSize, c.intermediateSize])
            layers.append(offsets)
        }
        self.layers = layers
        finalNorm = place("model.norm.weight", [c.hiddenSize])
        head = c.tiesEmbeddings ? embedding : place("lm_head.weight", [c.vocabularySize, c.hiddenSize])
        self.tensors = tensors
        count = end
        places = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
    }

    public func tensor(_ name: String) -> ParameterTensor? { places[name].map { tensors[$0] } }
}
