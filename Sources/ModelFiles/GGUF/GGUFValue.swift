/// The types that a metadata value of a GGUF file can have (the numbers of the format).
public enum GGUFValueType: UInt32, Sendable {
    case uint8 = 0, int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

    /// Bytes of a value, or the least that one takes where that varies.
    var leastSize: Int {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64, .string: 8
        case .array: 12
        }
    }
}

/// A metadata value.
public enum GGUFValue: Sendable, Equatable {
    case unsigned(UInt64)
    case signed(Int64)
    /// float32 keeps its type, so that 1e-5 is written as that and not as the double next to it.
    case float(Float)
    case double(Double)
    case bool(Bool)
    case string([UInt8])
    case array(GGUFArray)

    /// "a string", for messages.
    var kind: String {
        switch self {
        case .unsigned, .signed: "an integer"
        case .float, .double: "a number"
        case .bool: "true or false"
        case .string: "a string"
        case .array: "an array"
        }
    }
}

/// An array of metadata, flat by element type; arrays inside arrays are checked and counted but not kept, since nothing here uses them.
public enum GGUFArray: Sendable, Equatable {
    case unsigned([UInt64])
    case signed([Int64])
    case floats([Float])
    case doubles([Double])
    case bools([Bool])
    case strings([[UInt8]])
    case nested(count: Int)
}
