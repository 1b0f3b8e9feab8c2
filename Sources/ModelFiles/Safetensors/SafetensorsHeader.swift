import JSON
import SystemIO

/// A tensor's entry in a safetensors file.
public struct TensorEntry: Sendable, Equatable {
    public let name: String
    public let type: ElementType
    /// Outermost dimension first.
    public let shape: [Int]
    public let elements: Int
    /// Where its bytes lie in the file.
    let range: Range<Int>
}

/// The header of a safetensors file: its length in eight bytes, then JSON of that length, then the tensors' bytes without holes.
/// Format: https://github.com/huggingface/safetensors
struct SafetensorsHeader {
    /// Sorted by name.
    private(set) var tensors: [TensorEntry] = []
    private(set) var metadata: [String: String] = [:]

    /// The limit of the format's own reader.
    static let maximumBytes = 100_000_000

    init(file: String, bytes: UnsafeRawBufferPointer) throws {
        func damaged(_ message: String) -> InputError { InputError("\(file): \(message)") }
        guard bytes.count >= 8 else { throw damaged("\(bytes.count) bytes are too few for a safetensors file, which starts with a header length of 8") }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= SafetensorsHeader.maximumBytes else {
            throw damaged("the header length is \(length), more than the format's limit of \(SafetensorsHeader.maximumBytes): this is no safetensors file")
        }
        guard length <= bytes.count - 8 else {
            throw damaged("the header should take \(length) bytes and only \(bytes.count - 8) are there: the file was cut, fetch it again")
        }
        let data = 8 + Int(length)
        let parser = JSONParser(limits: JSONLimits(maximumBytes: SafetensorsHeader.maximumBytes, maximumDepth: 8, skipsByteOrderMark: false))
        do {
            try bytes[8 ..< data].withMemoryRebound(to: UInt8.self) { buffer in
                try parser.read(buffer) { try read($0, dataBytes: bytes.count - data, dataStart: data, damaged) }
            }
        } catch let error as JSONError {
            throw damaged("the header is not valid JSON: \(error)")
        }
    }

    private mutating func read(_ root: JSONCursor, dataBytes: Int, dataStart: Int, _ damaged: (String) -> InputError) throws {
        guard let members = root.members else { throw damaged("the header is \(root.typeName); an object with the tensors was expected") }
        for (key, value) in members {
            if key.elementsEqual("__metadata__".utf8) {
                guard metadata.isEmpty, let strings = value.members else { throw damaged("__metadata__ of the header should be one object of strings") }
                for (key, value) in strings {
                    guard let text = value.text else { throw damaged("__metadata__ of the header should hold strings and holds \(value.typeName)") }
                    metadata[String(decoding: key, as: UTF8.self)] = String(decoding: text.bytes, as: UTF8.self)
                }
                continue
            }
            guard let name = asciiName(key) else { throw damaged("the header names a tensor \"\(String(decoding: key.prefix(80), as: UTF8.self))\"; printable ASCII was expected") }
            tensors.append(try entry(name, value, dataBytes: dataBytes, dataStart: dataStart, damaged))
        }
        tensors.sort { $0.name < $1.name }
        for (one, next) in zip(tensors, tensors.dropFirst()) where one.name == next.name { throw damaged("the header names the tensor \(one.name) twice") }
        try checkOrder(dataBytes: dataBytes, dataStart: dataStart, damaged)
    }

    private func entry(_ name: String, _ value: JSONCursor, dataBytes: Int, dataStart: Int, _ damaged: (String) -> InputError) throws -> TensorEntry {
        guard let typeName = value["dtype"]?.text else { throw damaged("\(name): dtype should be a string such as \"F32\"") }
        guard let type = ElementType(rawValue: String(decoding: typeName.bytes, as: UTF8.self)) else { throw damaged("\(name): the dtype \(typeName) is not known") }
        guard let dimensions = value["shape"]?.elements else { throw damaged("\(name): shape should be an array of whole numbers") }
        var shape: [Int] = []
        for dimension in dimensions {
            guard let size = dimension.unsigned.flatMap({ Int(exactly: $0) }) else { throw damaged("\(name): shape should be an array of whole numbers") }
            shape.append(size)
        }
        guard let count = elementCount(of: shape), case let (size, overflow) = count.multipliedReportingOverflow(by: type.size), !overflow else {
            throw damaged("\(name): the shape \(shapeText(shape)) is beyond any file")
        }
        var offsets: [Int] = []
        if let pair = value["data_offsets"]?.elements {
            for offset in pair { offsets.append(offset.unsigned.flatMap { Int(exactly: $0) } ?? -1) }
        }
        guard offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0] else { throw damaged("\(name): data_offsets should be two whole numbers, the begin and the end") }
        guard offsets[1] <= dataBytes else {
            throw damaged("\(name): its data should end at byte \(offsets[1]) of the data and there are \(dataBytes): the file was cut, fetch it again")
        }
        guard offsets[1] - offsets[0] == size else {
            throw damaged("\(name): \(type.rawValue) of shape \(shapeText(shape)) takes \(size) bytes and data_offsets gives it \(offsets[1] - offsets[0])")
        }
        return TensorEntry(name: name, type: type, shape: shape, elements: count, range: dataStart + offsets[0] ..< dataStart + offsets[1])
    }

    /// The data must be covered once and whole: a hole could hide something, an overlap would be written twice.
    private func checkOrder(dataBytes: Int, dataStart: Int, _ damaged: (String) -> InputError) throws {
        var end = dataStart
        for tensor in tensors.sorted(by: { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }) {
            guard tensor.range.lowerBound == end else {
                throw damaged("\(tensor.name): its data begins at byte \(tensor.range.lowerBound - dataStart) of the data, where \(end - dataStart) was expected: tensors overlap or leave a hole")
            }
            end = tensor.range.upperBound
        }
        guard end == dataStart + dataBytes else { throw damaged("\(dataBytes - (end - dataStart)) bytes follow the last tensor; the file should end there") }
    }
}
