import SystemIO

/// One safetensors file, mapped. Opening checks the whole header: every offset inside the file, no holes or overlaps, sizes that fit shapes, no name twice.
public final class SafetensorsFile: @unchecked Sendable {
    public let path: String
    /// Sorted by name.
    public let tensors: [TensorEntry]
    /// `__metadata__` of the header.
    public let metadata: [String: String]
    private let places: [String: Int]
    private let file: MappedFile

    /// Throws `.missingInput` when the file cannot be opened and `.invalidData` when it is not a whole safetensors file.
    public init(path: String) throws {
        file = try MappedFile(path: path)
        self.path = path
        let header = try file.withBytes { try SafetensorsHeader(file: path, bytes: $0) }
        tensors = header.tensors
        metadata = header.metadata
        places = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
    }

    public func entry(_ name: String) -> TensorEntry? {
        places[name].map { tensors[$0] }
    }

    /// The bytes of a tensor as stored, at any alignment.
    public func withBytes<Result>(of entry: TensorEntry, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try file.withBytes { try body(UnsafeRawBufferPointer(rebasing: $0[entry.range])) }
    }

    /// Fills `target`, as many floats as the tensor has elements, row-major. F16 and BF16 are exact, F64 is rounded.
    /// Throws `.invalidData` for element types that are no weights (integers, booleans, 8-bit floats).
    public func read(_ entry: TensorEntry, into target: UnsafeMutableBufferPointer<Float>) throws {
        guard entry.type.isConvertible else {
            throw InputError("\(path): \(entry.name) is stored as \(entry.type.rawValue); weights in F32, F16, BF16 or F64 are supported")
        }
        guard target.count == entry.elements else {
            throw InputError("\(path): \(entry.name) has \(entry.elements) elements where \(target.count) were expected")
        }
        withBytes(of: entry) { convertToFloat($0, entry.type, target) }
    }
}
