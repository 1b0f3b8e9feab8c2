/// A DATA payload taken apart into its arrays.
public struct DissectedBlock: Sendable {
    public var arrays: [[UInt8]]
    /// What the directory says of an array's bytes instead of the truth.
    public var lies: [Int: UInt64] = [:]

    public init(_ payload: [UInt8], arrayCount: Int) {
        var at = (8 * arrayCount + 63) / 64 * 64
        arrays = (0 ..< arrayCount).map { array in
            let length = Int(littleEndian: payload[8 * array ..< 8 * array + 8])
            defer { at += (length + 63) / 64 * 64 }
            return Array(payload[at ..< at + length])
        }
    }

    /// Nil for a payload whose directory does not fit it.
    public init?(checking payload: [UInt8], arrayCount: Int) {
        var at = (8 * arrayCount + 63) / 64 * 64
        for array in 0 ..< arrayCount where at <= payload.count {
            guard case let length = Int(littleEndian: payload[8 * array ..< 8 * array + 8]), (0 ... payload.count).contains(length) else { return nil }
            at += (length + 63) / 64 * 64
        }
        guard arrayCount > 0, at == payload.count else { return nil }
        self.init(payload, arrayCount: arrayCount)
    }

    public var payload: [UInt8] {
        func padding(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: (count + 63) / 64 * 64 - count) }
        var bytes = arrays.indices.flatMap { littleEndian(lies[$0] ?? UInt64(arrays[$0].count)) }
        bytes += padding(bytes.count)
        for array in arrays { bytes += array + padding(array.count) }
        return bytes
    }

    /// Array `number` as 32-bit words.
    public subscript(words number: Int) -> [UInt32] {
        get {
            arrays[number].withUnsafeBytes { bytes in
                stride(from: 0, to: bytes.count - 3, by: 4).map { bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self) }
            }
        }
        set { arrays[number] = newValue.flatMap { littleEndian($0) } }
    }

    /// Puts words, lengths or bytes into one of the arrays that do not belong there.
    public mutating func scramble(using generator: inout SeededGenerator) {
        let array = Int.random(in: 0 ..< arrays.count, using: &generator)
        let extremes: [UInt32] = [0, 1, 2, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0xFFFF_FFFE, UInt32.random(in: 0 ... .max, using: &generator)]
        switch Int.random(in: 0 ..< 6, using: &generator) {
        case 0:
            lies[array] = [1 << 63, .max, 1 << 32, 0, UInt64(arrays[array].count) + 1, 64].randomElement(using: &generator)
        case 1:
            arrays[array].append(contentsOf: (0 ..< Int.random(in: 1 ... 70, using: &generator)).map { _ in UInt8.random(in: 0 ... 255, using: &generator) })
        case 2:
            arrays[array].removeLast(min(arrays[array].count, Int.random(in: 1 ... 9, using: &generator)))
        case 3 where !arrays[array].isEmpty:
            let at = arrays[array].indices.randomElement(using: &generator) ?? 0
            arrays[array][at] = [0xFF, 0x80, 0xED, 0, 1, 0xC0].randomElement(using: &generator) ?? 0
        default:
            guard arrays[array].count >= 4 else { return }
            let word = Int.random(in: 0 ..< arrays[array].count / 4, using: &generator)
            self[words: array][word] = extremes.randomElement(using: &generator) ?? 0
        }
    }
}
