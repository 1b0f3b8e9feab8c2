/// Builds GGUF files byte by byte, damaged ones too.
struct GGUFBuilder {
    var version: UInt32 = 3
    var values: [[UInt8]] = []
    var tensors: [[UInt8]] = []
    var data: [UInt8] = []
    var alignment = 32
    /// Counts written in place of the true ones.
    var tensorCount: UInt64?
    var valueCount: UInt64?

    static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    static func string(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + Array(text.utf8) }

    mutating func add(_ key: String, type: UInt32, _ payload: [UInt8]) { values.append(Self.string(key) + Self.little(type) + payload) }
    mutating func add(_ key: String, _ text: String) { add(key, type: 8, Self.string(text)) }
    mutating func add(_ key: String, _ number: UInt32) { add(key, type: 4, Self.little(number)) }
    mutating func add(_ key: String, _ number: Float) { add(key, type: 6, Self.little(number.bitPattern)) }
    mutating func add(_ key: String, _ flag: Bool) { add(key, type: 7, [flag ? 1 : 0]) }
    mutating func add(_ key: String, _ texts: [String]) { add(key, type: 9, Self.little(UInt32(8)) + Self.little(UInt64(texts.count)) + texts.flatMap(Self.string)) }
    mutating func add(_ key: String, _ floats: [Float]) { add(key, type: 9, Self.little(UInt32(6)) + Self.little(UInt64(floats.count)) + floats.flatMap { Self.little($0.bitPattern) }) }
    mutating func add(_ key: String, integers: [Int32]) { add(key, type: 9, Self.little(UInt32(5)) + Self.little(UInt64(integers.count)) + integers.flatMap(Self.little)) }

    /// An entry as the file has it: innermost dimension first.
    mutating func entry(_ name: String, _ dimensions: [UInt64], type: UInt32, offset: UInt64) {
        tensors.append(Self.string(name) + Self.little(UInt32(dimensions.count)) + dimensions.flatMap(Self.little) + Self.little(type) + Self.little(offset))
    }

    /// A float32 tensor of this shape (outermost first) with its data.
    mutating func tensor(_ name: String, _ shape: [Int], _ values: [Float]) {
        while data.count % alignment != 0 { data.append(0) }
        entry(name, shape.reversed().map(UInt64.init), type: 0, offset: UInt64(data.count))
        data += values.flatMap { Self.little($0.bitPattern) }
    }

    var bytes: [UInt8] {
        var bytes = Array("GGUF".utf8) + Self.little(version) + Self.little(tensorCount ?? UInt64(tensors.count)) + Self.little(valueCount ?? UInt64(values.count))
        bytes += values.flatMap { $0 } + tensors.flatMap { $0 }
        if !tensors.isEmpty { while bytes.count % alignment != 0 { bytes.append(0) } }
        return bytes + data
    }
}
