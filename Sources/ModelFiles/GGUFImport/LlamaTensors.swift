import SystemIO

/// Which tensors a GGUF of a Llama holds, under which names and shapes Hugging Face expects them.
struct LlamaTensor {
    let name: String
    let published: String
    let shape: [Int]
    /// The number of heads by which the rows go back from interleaved pairs to halves, for the projections that the rotary embedding turns.
    var pairedHeads: Int?

    static func all(_ c: LlamaConfiguration) -> [LlamaTensor] {
        let queries = c.heads * c.headSize, keys = c.keyValueHeads * c.headSize
        var list = [
            LlamaTensor(name: "token_embd.weight", published: "model.embed_tokens.weight", shape: [c.vocabulary, c.hidden]),
            LlamaTensor(name: "output_norm.weight", published: "model.norm.weight", shape: [c.hidden]),
        ]
        if !c.isTied { list.append(LlamaTensor(name: "output.weight", published: "lm_head.weight", shape: [c.vocabulary, c.hidden])) }
        for layer in 0 ..< c.layers {
            func add(_ name: String, _ published: String, _ shape: [Int], pairedHeads: Int? = nil) {
                list.append(LlamaTensor(name: "blk.\(layer).\(name)", published: "model.layers.\(layer).\(published)", shape: shape, pairedHeads: pairedHeads))
            }
            add("attn_norm.weight", "input_layernorm.weight", [c.hidden])
            add("ffn_norm.weight", "post_attention_layernorm.weight", [c.hidden])
            add("attn_q.weight", "self_attn.q_proj.weight", [queries, c.hidden], pairedHeads: c.heads)
            add("attn_k.weight", "self_attn.k_proj.weight", [keys, c.hidden], pairedHeads: c.keyValueHeads)
            add("attn_v.weight", "self_attn.v_proj.weight", [keys, c.hidden])
            add("attn_output.weight", "self_attn.o_proj.weight", [c.hidden, queries])
            add("ffn_gate.weight", "mlp.gate_proj.weight", [c.feedForward, c.hidden])
            add("ffn_up.weight", "mlp.up_proj.weight", [c.feedForward, c.hidden])
            add("ffn_down.weight", "mlp.down_proj.weight", [c.hidden, c.feedForward])
            if c.hasAttentionBias {
                add("attn_q.bias", "self_attn.q_proj.bias", [queries], pairedHeads: c.heads)
                add("attn_k.bias", "self_attn.k_proj.bias", [keys], pairedHeads: c.keyValueHeads)
                add("attn_v.bias", "self_attn.v_proj.bias", [keys])
                add("attn_output.bias", "self_attn.o_proj.bias", [c.hidden])
            }
        }
        return list
    }

    /// The file must hold these tensors, these shapes, and nothing besides but `rope_freqs.weight`, which the configuration has taken in:
    /// a tensor that is left out would be a silently different model.
    static func check(_ list: [LlamaTensor], in file: GGUFFile) throws {
        for tensor in list {
            guard let entry = file.tensor(tensor.name) else { throw file.error("the tensor \(tensor.name) is missing; its metadata asks for it with shape \(shapeText(tensor.shape))") }
            guard entry.shape == tensor.shape else { throw file.error("the tensor \(tensor.name) has shape \(shapeText(entry.shape)); its metadata asks for \(shapeText(tensor.shape))") }
        }
        let known = Set(list.map(\.name) + ["rope_freqs.weight"])
        if let other = file.tensors.first(where: { !known.contains($0.name) }) { throw file.error("the tensor \(other.name) is not one of a Llama model, so the model would not be whole without it") }
    }

    /// The tensor as Hugging Face stores it, read when it is written.
    func source(_ file: GGUFFile) -> TensorSource {
        TensorSource(name: published, shape: shape) { sink in
            guard let entry = file.tensor(name) else { throw file.error("the tensor \(name) is missing") }
            let values = file.floats(entry)
            try sink.write(pairedHeads.map { LlamaTensor.rowsByHalves(values, rows: shape[0], heads: $0) } ?? values)
        }
    }

    /// GGUF keeps the two rows that the rotary embedding turns together next to each other (2i, 2i + 1); Hugging Face keeps them half a head apart (i, i + d/2).
    static func rowsByHalves(_ values: [Float], rows: Int, heads: Int) -> [Float] {
        let width = values.count / rows, size = rows / heads, half = size / 2
        return [Float](unsafeUninitializedCapacity: values.count) { target, count in
            for head in 0 ..< heads {
                for row in 0 ..< size {
                    let from = head * size + (row % half) * 2 + row / half, to = head * size + row
                    for i in 0 ..< width { target.initializeElement(at: to * width + i, to: values[from * width + i]) }
                }
            }
            count = values.count
        }
    }
}
