import JSON
import SystemIO

/// A tensor to be written in single precision: its shape is known before its values are, so that a file is written front to back without
/// ever holding all weights twice.
public struct TensorSource {
    public let name: String
    public let shape: [Int]
    /// Hands the values, row-major, to the sink in pieces of any size.
    let produce: (inout TensorSink) throws -> Void

    public init(name: String, shape: [Int], produce: @escaping (inout TensorSink) throws -> Void) {
        self.name = name
        self.shape = shape
        self.produce = produce
    }

    public init(name: String, shape: [Int], values: [Float]) {
        self.init(name: name, shape: shape) { try $0.write(values) }
    }
}

/// Takes a tensor's values while the file is written.
public struct TensorSink {
    private let sink: any ByteSink
    private let name: String
    private var left: Int

    fileprivate init(_ sink: any ByteSink, name: String, elements: Int) {
        self.sink = sink
        self.name = name
        left = elements
    }

    public mutating func write(_ values: UnsafeBufferPointer<Float>) throws {
        guard values.count <= left else { throw InputError("\(sink.name): more values than its shape has were written for \(name)", status: .internalError) }
        left -= values.count
        try sink.write(UnsafeRawBufferPointer(values))
    }

    public mutating func write(_ values: [Float]) throws {
        try values.withUnsafeBufferPointer { try write($0) }
    }

    fileprivate func finish() throws {
        guard left == 0 else { throw InputError("\(sink.name): \(left) values are missing for \(name)", status: .internalError) }
    }
}

/// Writes safetensors files. Equal tensors make equal bytes: names in the order of their bytes, compact JSON, the header padded with spaces to 8.
public enum SafetensorsWriter {
    /// Writes all of `tensors` in single precision and leaves the sink unfinished, so that the caller decides when the file is whole.
    /// - Parameter metadata: strings for `__metadata__`; `format` is always `pt`, which transformers asks for.
    /// - Throws: `.internalError` for names twice, shapes that overflow or the wrong number of values; the sink's own errors.
    public static func write(_ tensors: [TensorSource], metadata: [String: String] = [:], to sink: any ByteSink) throws {
        let ordered = tensors.sorted { $0.name < $1.name }
        var members = [JSONMember("__metadata__", .object(metadata.merging(["format": "pt"]) { $1 }.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))]
        var counts: [Int] = [], end = 0
        for (place, tensor) in ordered.enumerated() {
            guard asciiName(tensor.name.utf8) != nil, place == 0 || ordered[place - 1].name != tensor.name else {
                throw InputError("\(sink.name): \"\(tensor.name)\" is no name for a tensor or stands twice", status: .internalError)
            }
            guard let count = elementCount(of: tensor.shape), case let (size, overflow) = count.multipliedReportingOverflow(by: 4), !overflow,
                  case let (next, beyond) = end.addingReportingOverflow(size), !beyond else {
                throw InputError("\(sink.name): the shape \(shapeText(tensor.shape)) of \(tensor.name) is beyond any file", status: .internalError)
            }
            members.append(JSONMember(Text(tensor.name), ["dtype": "F32", "shape": .array(tensor.shape.map { JSONValue($0) }), "data_offsets": [JSONValue(end), JSONValue(next)]]))
            counts.append(count)
            end = next
        }
        var header: [UInt8]
        do { header = try JSONValue.object(members).serialized() } catch { throw InputError("\(sink.name): \(error)", status: .internalError) }
        while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
        try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try sink.write($0) }
        try sink.write(header)
        for (tensor, count) in zip(ordered, counts) {
            var values = TensorSink(sink, name: tensor.name, elements: count)
            try tensor.produce(&values)
            try values.finish()
        }
    }
}
