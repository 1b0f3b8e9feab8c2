import SystemIO

/// A tensor's entry in a GGUF file.
public struct GGUFTensor: Sendable, Equatable {
    public let name: String
    public let type: GGUFTensorType
    /// Outermost dimension first, as everywhere in this project (the file stores the innermost first).
    public let shape: [Int]
    public let elements: Int
    /// Where its bytes lie in the file.
    let range: Range<Int>
}

/// A GGUF file (version 2 or 3, little-endian), mapped: its metadata and its tensors, every bound checked on opening.
/// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
public final class GGUFFile: @unchecked Sendable {
    public let path: String
    public let version: UInt32
    public let metadata: [String: GGUFValue]
    /// In the order of the file.
    public let tensors: [GGUFTensor]
    private let places: [String: Int]
    private let file: MappedFile

    /// Throws `.missingInput` when the file cannot be opened, `.invalidData` when it is not a whole GGUF of supported types.
    public convenience init(path: String) throws {
        try self.init(path: path, headerLimit: GGUFHeader.maximumBytes)
    }

    init(path: String, headerLimit: Int) throws {
        file = try MappedFile(path: path)
        self.path = path
        let header = try file.withBytes { try GGUFHeader(file: path, bytes: $0, limit: headerLimit) }
        version = header.version
        metadata = header.metadata
        tensors = header.tensors
        places = header.places
    }

    /// Whether the file starts as a GGUF does. Throws `.missingInput` when it cannot be read. A pipe is none: what is looked at would be gone, and a GGUF is read where it lies.
    static func isGGUF(_ path: String) throws -> Bool {
        if isPipe(path) { return false }
        var magic = [UInt8](repeating: 0, count: 4)
        let source = try FileSource(path: path), count = try magic.withUnsafeMutableBytes { try source.readFully(into: $0) }
        return count == 4 && magic.elementsEqual("GGUF".utf8)
    }

    public func tensor(_ name: String) -> GGUFTensor? {
        places[name].map { tensors[$0] }
    }

    /// The tensor's values in single precision, row-major.
    public func floats(_ tensor: GGUFTensor) -> [Float] {
        file.withBytes { bytes in
            [Float](unsafeUninitializedCapacity: tensor.elements) { buffer, count in
                dequantize(UnsafeRawBufferPointer(rebasing: bytes[tensor.range]), tensor.type, UnsafeMutableBufferPointer(rebasing: buffer[..<tensor.elements]))
                count = tensor.elements
            }
        }
    }
}
