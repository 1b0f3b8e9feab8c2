import SystemIO

/// What stands before the tensor data of a GGUF file:
/// magic "GGUF", version (4 bytes), tensor count (8), metadata count (8), metadata, tensor entries, padding to `general.alignment`.
struct GGUFHeader {
    let version: UInt32
    private(set) var metadata: [String: GGUFValue] = [:]
    private(set) var tensors: [GGUFTensor] = []
    private(set) var places: [String: Int] = [:]

    /// Real files nest arrays not at all; the limit keeps a hostile file from exhausting the stack.
    private static let deepestArray = 4

    /// The largest published vocabularies take some 15 MB.
    static let maximumBytes = 64 << 20

    init(file: String, bytes: UnsafeRawBufferPointer, limit: Int) throws {
        var cursor = GGUFCursor(file: file, bytes: bytes, limit: limit)
        guard bytes.count >= 4, bytes[..<4].elementsEqual("GGUF".utf8) else {
            throw InputError("\(file): not a GGUF file: it does not start with the letters GGUF")
        }
        try cursor.skip(4, "the magic number")
        version = try cursor.integer(UInt32.self, "the version")
        guard version == 2 || version == 3 else {
            let reversed = version.byteSwapped
            let why = reversed == 2 || reversed == 3 ? "big-endian, which is not supported" : "GGUF version \(version); versions 2 and 3 are supported"
            throw cursor.error(why + ": convert the model again with a current converter", at: 4)
        }
        let tensorCount = try cursor.count("the number of tensors")
        let valueCount = try cursor.count("the number of metadata values")
        // Each entry takes at least so many bytes, so an absurd count is refused before anything is reserved for it.
        guard valueCount <= cursor.left / 13 else { throw cursor.error("\(valueCount) metadata values are announced, more than the header can hold", at: 16) }
        guard tensorCount <= cursor.left / 24 else { throw cursor.error("\(tensorCount) tensors are announced, more than the header can hold", at: 8) }
        try readMetadata(&cursor, count: valueCount)
        try readTensors(&cursor, count: tensorCount)
    }

    // MARK: metadata

    private mutating func readMetadata(_ cursor: inout GGUFCursor, count: Int) throws {
        for _ in 0 ..< count {
            let start = cursor.position
            let bytes = try cursor.string("a metadata key")
            guard let key = asciiName(bytes), bytes.count <= 65535 else { throw cursor.error("a metadata key is not a printable ASCII name", at: start) }
            let typeAt = cursor.position
            let value = try GGUFHeader.value(&cursor, try GGUFHeader.type(&cursor, key, typeAt), key)
            guard metadata.updateValue(value, forKey: key) == nil else { throw cursor.error("the metadata key \(key) stands twice", at: start) }
        }
    }

    private static func type(_ cursor: inout GGUFCursor, _ key: String, _ start: Int) throws -> GGUFValueType {
        let number = try cursor.integer(UInt32.self, "the type of \(key)")
        guard let type = GGUFValueType(rawValue: number) else { throw cursor.error("\(key) has the value type \(number); the format knows 0 to 12", at: start) }
        return type
    }

    private static func value(_ cursor: inout GGUFCursor, _ type: GGUFValueType, _ key: String) throws -> GGUFValue {
        switch type {
        case .uint8: .unsigned(UInt64(try cursor.integer(UInt8.self, key)))
        case .uint16: .unsigned(UInt64(try cursor.integer(UInt16.self, key)))
        case .uint32: .unsigned(UInt64(try cursor.integer(UInt32.self, key)))
        case .uint64: .unsigned(try cursor.integer(UInt64.self, key))
        case .int8: .signed(Int64(try cursor.integer(Int8.self, key)))
        case .int16: .signed(Int64(try cursor.integer(Int16.self, key)))
        case .int32: .signed(Int64(try cursor.integer(Int32.self, key)))
        case .int64: .signed(try cursor.integer(Int64.self, key))
        case .float32: .float(Float(bitPattern: try cursor.integer(UInt32.self, key)))
        case .float64: .double(Double(bitPattern: try cursor.integer(UInt64.self, key)))
        case .bool: .bool(try bool(&cursor, key))
        case .string: .string(Array(try cursor.string(key)))
        case .array: .array(try array(&cursor, key, depth: 1))
        }
    }

    private static func bool(_ cursor: inout GGUFCursor, _ key: String) throws -> Bool {
        let start = cursor.position
        let byte = try cursor.integer(UInt8.self, key)
        guard byte <= 1 else { throw cursor.error("\(key) should be true (1) or false (0) and is \(byte)", at: start) }
        return byte == 1
    }

    private static func array(_ cursor: inout GGUFCursor, _ key: String, depth: Int) throws -> GGUFArray {
        let start = cursor.position
        guard depth <= deepestArray else { throw cursor.error("\(key) nests arrays more than \(deepestArray) deep") }
        let type = try type(&cursor, key, start)
        let count = try cursor.count("the length of \(key)")
        guard count <= cursor.left / type.leastSize else { throw cursor.error("\(key) is announced with \(count) elements, more than the header can hold", at: start + 4) }
        func unsigned<T: FixedWidthInteger & UnsignedInteger>(_: T.Type) throws -> GGUFArray {
            .unsigned(try (0 ..< count).map { _ in UInt64(try cursor.integer(T.self, key)) })
        }
        func signed<T: FixedWidthInteger & SignedInteger>(_: T.Type) throws -> GGUFArray {
            .signed(try (0 ..< count).map { _ in Int64(try cursor.integer(T.self, key)) })
        }
        switch type {
        case .uint8: return try unsigned(UInt8.self)
        case .uint16: return try unsigned(UInt16.self)
        case .uint32: return try unsigned(UInt32.self)
        case .uint64: return try unsigned(UInt64.self)
        case .int8: return try signed(Int8.self)
        case .int16: return try signed(Int16.self)
        case .int32: return try signed(Int32.self)
        case .int64: return try signed(Int64.self)
        case .float32: return .floats(try (0 ..< count).map { _ in Float(bitPattern: try cursor.integer(UInt32.self, key)) })
        case .float64: return .doubles(try (0 ..< count).map { _ in Double(bitPattern: try cursor.integer(UInt64.self, key)) })
        case .bool: return .bools(try (0 ..< count).map { _ in try bool(&cursor, key) })
        case .string: return .strings(try (0 ..< count).map { _ in Array(try cursor.string(key)) })
        case .array:
            for _ in 0 ..< count { _ = try array(&cursor, key, depth: depth + 1) }
            return .nested(count: count)
        }
    }

    // MARK: tensors

    private mutating func readTensors(_ cursor: inout GGUFCursor, count: Int) throws {
        var entries: [(name: String, type: GGUFTensorType, shape: [Int], elements: Int, offset: Int, bytes: Int, place: Int)] = []
        entries.reserveCapacity(count)
        for number in 0 ..< count {
            let start = cursor.position
            let bytes = try cursor.string("the name of tensor \(number)")
            guard let name = asciiName(bytes), bytes.count <= 256 else { throw cursor.error("the name of tensor \(number) is not a printable ASCII name of at most 256 letters", at: start) }
            guard places.updateValue(number, forKey: name) == nil else { throw cursor.error("the tensor \(name) stands twice", at: start) }
            let rank = try cursor.integer(UInt32.self, "the number of dimensions of \(name)")
            guard rank >= 1, rank <= 4 else { throw cursor.error("\(name) has \(rank) dimensions; 1 to 4 are possible", at: cursor.position - 4) }
            var shape: [Int] = []
            for _ in 0 ..< rank { shape.append(try cursor.count("a dimension of \(name)")) }
            shape.reverse()
            let typeNumber = try cursor.integer(UInt32.self, "the type of \(name)")
            guard let type = GGUFTensorType(rawValue: typeNumber) else {
                throw cursor.error("\(name) is stored as \(GGUFTensorType.name(of: typeNumber)), which is not supported; take a file whose tensors are F32, F16, BF16, Q8_0, Q4_0 or Q4_1",
                                   at: cursor.position - 4)
            }
            let offset = try cursor.count("the offset of \(name)")
            guard let elements = elementCount(of: shape), elements > 0, let innermost = shape.last, innermost % type.blockElements == 0,
                  case let (size, overflow) = (elements / type.blockElements).multipliedReportingOverflow(by: type.blockBytes), !overflow else {
                throw cursor.error("\(name) of shape \(shapeText(shape)) cannot be stored as \(type.name), in blocks of \(type.blockElements)", at: start)
            }
            entries.append((name, type, shape, elements, offset, size, start))
        }
        let alignment = try alignment(cursor)
        // Without tensors the file may end without padding.
        let (padded, overflow) = cursor.position.addingReportingOverflow(alignment - 1)
        guard !overflow else { throw cursor.error("general.alignment is \(alignment), which is beyond any file") }
        let data = padded / alignment * alignment
        for entry in entries {
            let (end, overflow) = entry.offset.addingReportingOverflow(entry.bytes)
            guard entry.offset % alignment == 0 else { throw cursor.error("\(entry.name) starts at \(entry.offset) of the data, which is no multiple of the alignment \(alignment)", at: entry.place) }
            guard !overflow, data <= cursor.bytes.count, end <= cursor.bytes.count - data else {
                throw cursor.error("the data of \(entry.name) (\(entry.bytes) bytes at \(entry.offset) of the data) goes beyond the end of the file, which is \(cursor.bytes.count) bytes long: fetch the file again", at: entry.place)
            }
            tensors.append(GGUFTensor(name: entry.name, type: entry.type, shape: entry.shape, elements: entry.elements, range: data + entry.offset ..< data + end))
        }
        let ordered = tensors.sorted { $0.range.lowerBound < $1.range.lowerBound }
        for (one, next) in zip(ordered, ordered.dropFirst()) where one.range.upperBound > next.range.lowerBound {
            throw InputError("\(cursor.file): the data of \(one.name) and \(next.name) overlap")
        }
    }

    private func alignment(_ cursor: GGUFCursor) throws -> Int {
        guard let value = metadata["general.alignment"] else { return 32 }
        guard case .unsigned(let number) = value, let alignment = Int(exactly: number), alignment >= 8, alignment & (alignment - 1) == 0 else {
            throw InputError("\(cursor.file): general.alignment is not a power of two of at least 8")
        }
        return alignment
    }
}
