import JSON
import SystemIO
import Testing
import TestSupport
@testable import ModelFiles

@Suite struct SafetensorsTests {
    private let folder = TemporaryFolder()

    private func open(_ bytes: [UInt8]) throws -> SafetensorsFile {
        try put(bytes, folder.file("t.safetensors"))
        return try SafetensorsFile(path: folder.file("t.safetensors"))
    }

    /// The error of a file with this header, without the path in front.
    private func error(_ header: String, data: Int = 8) -> String {
        let text = message { try open(safetensors(header, data: [UInt8](repeating: 0, count: data))) }
        let place = folder.file("t.safetensors") + ": "
        return text.hasPrefix(place) ? String(text.dropFirst(place.count)) : text
    }

    private func read(_ file: SafetensorsFile, _ name: String) throws -> [Float] {
        let entry = try #require(file.entry(name))
        var values = [Float](repeating: .nan, count: entry.elements)
        try values.withUnsafeMutableBufferPointer { try file.read(entry, into: $0) }
        return values
    }

    @Test func readsTheConvertibleTypesAtAnyAlignment() throws {
        // The header has an odd length, so that nothing after it is aligned.
        let header = #"{"d":{"dtype":"F64","shape":[1],"data_offsets":[10,18]},"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[1,1],"data_offsets":[4,6]},"f":{"dtype":"F32","shape":[],"data_offsets":[6,10]}}"#
        let padded = header + String(repeating: " ", count: header.utf8.count % 2 == 0 ? 1 : 0)
        let data: [UInt8] = [0x00, 0x3C, 0x00, 0xC0, 0x80, 0x3F] + withUnsafeBytes(of: Float(0.1)) { Array($0) } + withUnsafeBytes(of: Double(-2.5)) { Array($0) }
        let file = try open(safetensors(padded, data: data))
        #expect(file.tensors.map(\.name) == ["b", "d", "f", "h"])
        #expect(try read(file, "h") == [1, -2])
        #expect(try read(file, "b") == [1])
        #expect(try read(file, "f") == [0.1])
        #expect(try read(file, "d") == [-2.5])
        #expect(file.entry("b")?.shape == [1, 1] && file.entry("x") == nil)
    }

    @Test func keepsMetadataAndEmptyTensors() throws {
        let file = try open(safetensors(#"{"__metadata__":{"format":"pt","a":"é"},"e":{"dtype":"F32","shape":[0,4],"data_offsets":[0,0]},"i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#, data: [UInt8](repeating: 1, count: 8)))
        #expect(file.metadata == ["format": "pt", "a": "é"])
        #expect(try read(file, "e") == [])
        #expect(message { try read(file, "i") } == folder.file("t.safetensors") + ": i is stored as I64; weights in F32, F16, BF16 or F64 are supported")
    }

    @Test func refusesWhatIsNotWhole() {
        let path = folder.file("t.safetensors")
        #expect(message { try open([1, 2, 3]) } == path + ": 3 bytes are too few for a safetensors file, which starts with a header length of 8")
        #expect(message { try open([]) } == path + ": 0 bytes are too few for a safetensors file, which starts with a header length of 8")
        #expect(message { try open([UInt8](repeating: 0xFF, count: 16)) } == path + ": the header length is 18446744073709551615, more than the format's limit of 100000000: this is no safetensors file")
        #expect(message { try open([16, 0, 0, 0, 0, 0, 0, 0, 123, 125]) } == path + ": the header should take 16 bytes and only 2 are there: the file was cut, fetch it again")
        #expect(message { try SafetensorsFile(path: folder.file("none")) } == folder.file("none") + ": cannot be opened for reading: No such file or directory")
    }

    @Test(arguments: [
        ("{", "the header is not valid JSON: line 1, column 2: expected a key in double quotes, found the end"),
        ("[]", "the header is an array; an object with the tensors was expected"),
        (#"{"__metadata__":[]}"#, "__metadata__ of the header should be one object of strings"),
        (#"{"__metadata__":{"a":1}}"#, "__metadata__ of the header should hold strings and holds a number"),
        (#"{"a b":{}}"#, "the header names a tensor \"a b\"; printable ASCII was expected"),
        (#"{"a":1}"#, "a: dtype should be a string such as \"F32\""),
        (#"{"a":{"dtype":"F8_E8M0"}}"#, "a: the dtype F8_E8M0 is not known"),
        (#"{"a":{"dtype":"F32","shape":2}}"#, "a: shape should be an array of whole numbers"),
        (#"{"a":{"dtype":"F32","shape":[-2]}}"#, "a: shape should be an array of whole numbers"),
        (#"{"a":{"dtype":"F32","shape":[2.0]}}"#, "a: shape should be an array of whole numbers"),
        (#"{"a":{"dtype":"F32","shape":[18446744073709551615]}}"#, "a: shape should be an array of whole numbers"),
        (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4]}}"#, "a: the shape [4611686018427387904, 4] is beyond any file"),
        (#"{"a":{"dtype":"F32","shape":[4611686018427387904]}}"#, "a: the shape [4611686018427387904] is beyond any file"),
        (#"{"a":{"dtype":"F32","shape":[2]}}"#, "a: data_offsets should be two whole numbers, the begin and the end"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#, "a: data_offsets should be two whole numbers, the begin and the end"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, "a: data_offsets should be two whole numbers, the begin and the end"),
        (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}"#, "a: its data should end at byte 12 of the data and there are 8: the file was cut, fetch it again"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, "a: F32 of shape [2] takes 8 bytes and data_offsets gives it 4"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "4 bytes follow the last tensor; the file should end there"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "a: its data begins at byte 4 of the data, where 0 was expected: tensors overlap or leave a hole"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "b: its data begins at byte 4 of the data, where 8 was expected: tensors overlap or leave a hole"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "the header names the tensor a twice"),
    ])
    func namesTheFault(header: String, want: String) {
        #expect(error(header) == want, "\(header)")
    }

    // MARK: writing

    private func written(_ tensors: [TensorSource], _ metadata: [String: String] = [:]) throws -> [UInt8] {
        let sink = MemorySink()
        try SafetensorsWriter.write(tensors, metadata: metadata, to: sink)
        return sink.bytes
    }

    @Test func writesTheSameBytesWhateverTheOrder() throws {
        let a = TensorSource(name: "a", shape: [2, 2], values: [1, -0.0, .infinity, 0.1]), b = TensorSource(name: "b", shape: [], values: [5]), c = TensorSource(name: "c", shape: [0], values: [])
        let bytes = try written([b, c, a], ["z": "1"])
        #expect(try bytes == written([a, b, c], ["z": "1"]))
        let header = #"{"__metadata__":{"format":"pt","z":"1"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[],"data_offsets":[16,20]},"c":{"dtype":"F32","shape":[0],"data_offsets":[20,20]}}"#
        let spaces = (8 - header.utf8.count % 8) % 8
        #expect(Array(bytes[..<8]) == withUnsafeBytes(of: UInt64(header.utf8.count + spaces)) { Array($0) })
        #expect(String(decoding: bytes[8 ..< 8 + header.utf8.count + spaces], as: UTF8.self) == header + String(repeating: " ", count: spaces))
        let file = try open(bytes)
        #expect(try bits(read(file, "a")) == bits([1, -0.0, .infinity, 0.1]))
        #expect(try read(file, "b") == [5] && read(file, "c") == [])
    }

    @Test func refusesWhatDoesNotFitItsShape() {
        #expect(message { try written([TensorSource(name: "a", shape: [2], values: [1])]) } == "memory: 1 values are missing for a")
        #expect(message { try written([TensorSource(name: "a", shape: [2], values: [1, 2, 3])]) } == "memory: more values than its shape has were written for a")
        #expect(message { try written([TensorSource(name: "a", shape: [], values: [1]), TensorSource(name: "a", shape: [], values: [1])]) } == "memory: \"a\" is no name for a tensor or stands twice")
        #expect(message { try written([TensorSource(name: "", shape: [], values: [1])]) } == "memory: \"\" is no name for a tensor or stands twice")
        #expect(message { try written([TensorSource(name: "a", shape: [.max, 2], values: [])]) } == "memory: the shape [9223372036854775807, 2] of a is beyond any file")
    }

    // MARK: damage

    private static let small: [UInt8] = {
        let sink = MemorySink()
        try? SafetensorsWriter.write([TensorSource(name: "w.a", shape: [2, 3], values: [1, 2, 3, 4, 5, 6]), TensorSource(name: "w.b", shape: [2], values: [-1, 0.5])], to: sink)
        return sink.bytes
    }()

    @Test func refusesEveryCutAndEveryAppendedByte() throws {
        #expect(Self.small.count > 100)
        for length in 0 ..< Self.small.count {
            let text = message { try open(Array(Self.small[..<length])) }
            #expect(text.hasPrefix(folder.file("t.safetensors") + ": "), "cut at \(length): \(text)")
        }
        #expect(message { try open(Self.small + [0]) } == folder.file("t.safetensors") + ": 1 bytes follow the last tensor; the file should end there")
    }

    /// The format has no checksum, so a flip can make another valid header; it must never trap nor read outside.
    @Test func survivesEveryFlippedHeaderBit() throws {
        let headerEnd = Self.small.count - 32
        var refused = 0
        for at in 0 ..< headerEnd {
            for bit in 0 ..< 8 {
                var bytes = Self.small
                bytes[at] ^= 1 << bit
                do {
                    let file = try open(bytes)
                    for entry in file.tensors where entry.type.isConvertible {
                        let values = try read(file, entry.name)
                        #expect(values.count == entry.elements, "bit \(bit) of byte \(at)")
                    }
                } catch let error as InputError {
                    refused += 1
                    #expect(error.status == .invalidData && error.message.hasPrefix(folder.file("t.safetensors") + ": "), "bit \(bit) of byte \(at): \(error)")
                }
            }
        }
        #expect(refused > headerEnd * 4, "only \(refused) of \(headerEnd * 8) flips were refused")
    }
}
