/// How a tensor of a GGUF file is stored (the numbers of ggml). Only the types below are read; `name(of:)` knows the others, for messages.
public enum GGUFTensorType: UInt32, Sendable, CaseIterable {
    case f32 = 0, f16 = 1, q4_0 = 2, q4_1 = 3, q8_0 = 8, bf16 = 30

    /// Elements per block: the quantised types store 32 neighbours of a row together.
    public var blockElements: Int {
        switch self {
        case .f32, .f16, .bf16: 1
        case .q4_0, .q4_1, .q8_0: 32
        }
    }

    /// Bytes per block.
    public var blockBytes: Int {
        switch self {
        case .f32: 4
        case .f16, .bf16: 2
        case .q4_0: 2 + 16
        case .q4_1: 4 + 16
        case .q8_0: 2 + 32
        }
    }

    public var name: String { GGUFTensorType.name(of: rawValue) }

    static let names: [UInt32: String] = [
        0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K",
        14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS",
        24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
    ]

    static func name(of number: UInt32) -> String { names[number] ?? "type \(number)" }
}

/// Turns `count` elements (whole blocks) into single precision, bit for bit as the Python package `gguf` does:
/// Q8_0 is d * q; Q4_0 is d * (q - 8); Q4_1 is d * q + m, product and sum rounded apart. d and m are halves; the low nibbles of a block are
/// its elements 0 to 15, the high nibbles 16 to 31.
func dequantize(_ source: UnsafeRawBufferPointer, _ type: GGUFTensorType, _ target: UnsafeMutableBufferPointer<Float>) {
    precondition(target.count % type.blockElements == 0 && source.count == target.count / type.blockElements * type.blockBytes)
    func half(_ offset: Int) -> Float { floatFromHalf(UInt16(littleEndian: source.loadUnaligned(fromByteOffset: offset, as: UInt16.self))) }
    switch type {
    case .f32: convertToFloat(source, .f32, target)
    case .f16: convertToFloat(source, .f16, target)
    case .bf16: convertToFloat(source, .bf16, target)
    case .q8_0:
        for block in 0 ..< target.count / 32 {
            let from = block * 34, to = block * 32, d = half(from)
            for i in 0 ..< 32 { target[to + i] = d * Float(Int8(bitPattern: source[from + 2 + i])) }
        }
    case .q4_0:
        for block in 0 ..< target.count / 32 {
            let from = block * 18, to = block * 32, d = half(from)
            for i in 0 ..< 16 {
                let pair = source[from + 2 + i]
                target[to + i] = d * Float(Int(pair & 15) - 8)
                target[to + 16 + i] = d * Float(Int(pair >> 4) - 8)
            }
        }
    case .q4_1:
        for block in 0 ..< target.count / 32 {
            let from = block * 20, to = block * 32, d = half(from), m = half(from + 2)
            for i in 0 ..< 16 {
                let pair = source[from + 4 + i]
                let low = d * Float(pair & 15), high = d * Float(pair >> 4)
                target[to + i] = low + m
                target[to + 16 + i] = high + m
            }
        }
    }
}
