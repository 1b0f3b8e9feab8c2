/// How one element of a tensor is stored (the names of the safetensors format).
public enum ElementType: String, Sendable, CaseIterable {
    case bool = "BOOL", u8 = "U8", i8 = "I8", f8e5m2 = "F8_E5M2", f8e4m3 = "F8_E4M3"
    case i16 = "I16", u16 = "U16", f16 = "F16", bf16 = "BF16"
    case i32 = "I32", u32 = "U32", f32 = "F32"
    case i64 = "I64", u64 = "U64", f64 = "F64"

    /// Bytes per element.
    public var size: Int {
        switch self {
        case .bool, .u8, .i8, .f8e5m2, .f8e4m3: 1
        case .i16, .u16, .f16, .bf16: 2
        case .i32, .u32, .f32: 4
        case .i64, .u64, .f64: 8
        }
    }

    /// Whether `convertToFloat` can read it: the types in which weights are published whole.
    public var isConvertible: Bool {
        switch self {
        case .f16, .bf16, .f32, .f64: true
        default: false
        }
    }
}

/// IEEE half precision to single. Exact; NaN payloads keep their bits, as numpy does.
@inline(__always)
public func floatFromHalf(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10) & 0x1F
    let fraction = UInt32(bits) & 0x3FF
    if exponent == 0 {
        // A subnormal is fraction * 2^-24, which single precision holds as a normal number.
        let magnitude = Float(fraction) * 0x1p-24
        return Float(bitPattern: magnitude.bitPattern | sign)
    }
    if exponent == 31 { return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13) }
    return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
}

/// bfloat16 is the upper half of a single.
@inline(__always)
public func floatFromBFloat16(_ bits: UInt16) -> Float {
    Float(bitPattern: UInt32(bits) << 16)
}

/// Converts little-endian elements at any alignment; `source` holds exactly `target.count` elements of `type`, which is convertible.
/// F64 is rounded to nearest, the others are exact.
func convertToFloat(_ source: UnsafeRawBufferPointer, _ type: ElementType, _ target: UnsafeMutableBufferPointer<Float>) {
    precondition(type.isConvertible && source.count == target.count * type.size)
    switch type {
    case .f32:
        UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
    case .f16:
        for i in 0 ..< target.count { target[i] = floatFromHalf(UInt16(littleEndian: source.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self))) }
    case .bf16:
        for i in 0 ..< target.count { target[i] = floatFromBFloat16(UInt16(littleEndian: source.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self))) }
    default:
        for i in 0 ..< target.count { target[i] = Float(Double(bitPattern: UInt64(littleEndian: source.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self)))) }
    }
}
