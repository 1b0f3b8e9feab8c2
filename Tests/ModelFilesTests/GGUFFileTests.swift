import SystemIO
import Testing
import TestSupport
@testable import ModelFiles

@Suite struct GGUFFileTests {
    private let folder = TemporaryFolder()
    private var path: String { folder.file("t.gguf") }

    private func open(_ bytes: [UInt8]) throws -> GGUFFile {
        try put(bytes, path)
        return try GGUFFile(path: path)
    }

    /// The error of a file built by `make`, without the path in front.
    private func error(_ make: (inout GGUFBuilder) -> Void) -> String {
        var builder = GGUFBuilder()
        make(&builder)
        let text = message { try open(builder.bytes) }
        return text.hasPrefix(path + ": ") ? String(text.dropFirst(path.count + 2)) : text
    }

    // MARK: against the Python package

    @Test func everyTypeEqualsThePythonPackageBitForBit() throws {
        let file = try GGUFFile(path: Fixtures.path("gguf/types.gguf")), want = try TensorCollection(file: Fixtures.path("gguf/types.safetensors"))
        #expect(Set(file.tensors.map(\.type)) == Set(GGUFTensorType.allCases))
        #expect(file.tensors.map(\.name).sorted() == want.tensors.map(\.name))
        for tensor in file.tensors {
            let values = try want.floats(tensor.name)
            #expect(want.entry(tensor.name)?.shape == tensor.shape, "\(tensor.name)")
            #expect(bits(file.floats(tensor)) == bits(values), "\(tensor.name)")
        }
    }

    @Test func everyMetadataTypeIsRead() throws {
        let values = try GGUFFile(path: Fixtures.path("gguf/types.gguf")).metadata
        let want: [String: GGUFValue] = [
            "t.uint8": .unsigned(200), "t.int8": .signed(-100), "t.uint16": .unsigned(60000), "t.int16": .signed(-30000), "t.uint32": .unsigned(4_000_000_000),
            "t.int32": .signed(-2_000_000_000), "t.uint64": .unsigned(.max), "t.int64": .signed(.min), "t.float32": .float(1e-5), "t.float64": .double(0.1),
            "t.true": .bool(true), "t.false": .bool(false), "t.string": .string(Array("π\n".utf8)), "t.strings": .array(.strings([[], Array("a".utf8), Array("é".utf8)])),
            "t.floats": .array(.floats([1.5, -2])), "t.ints": .array(.signed([1, -2, 3])), "t.bools": .array(.bools([true, false])), "t.nested": .array(.nested(count: 2)),
            "general.architecture": .string(Array("none".utf8)),
        ]
        #expect(values == want)
    }

    @Test func versionTwoReadsAlike() throws {
        var builder = GGUFBuilder()
        builder.tensor("a", [1, 2], [1, 2])
        builder.version = 2
        let file = try open(builder.bytes)
        #expect(file.version == 2 && file.tensors.first.map(file.floats) == [1, 2] && file.tensors.first?.shape == [1, 2])
    }

    // MARK: messages

    @Test func namesTheFaultOfTheHeader() {
        #expect(message { try open([]) } == path + ": not a GGUF file: it does not start with the letters GGUF")
        #expect(message { try open(Array("GGUX".utf8)) } == path + ": not a GGUF file: it does not start with the letters GGUF")
        #expect(error { $0.version = 1 } == "byte 4: GGUF version 1; versions 2 and 3 are supported: convert the model again with a current converter")
        #expect(error { $0.version = UInt32(3).byteSwapped } == "byte 4: big-endian, which is not supported: convert the model again with a current converter")
        #expect(error { $0.valueCount = 1 << 60 } == "byte 16: 1152921504606846976 metadata values are announced, more than the header can hold")
        #expect(error { $0.tensorCount = 9 } == "byte 8: 9 tensors are announced, more than the header can hold")
        #expect(error { $0.tensorCount = .max } == "byte 8: the number of tensors is 18446744073709551615, which is beyond any file")
        #expect(error { $0.valueCount = 1; $0.data = [UInt8](repeating: 0, count: 40) } == "byte 24: a metadata key is not a printable ASCII name")
        #expect(error { $0.add("k", type: 13, []) } == "byte 33: k has the value type 13; the format knows 0 to 12")
        #expect(error { $0.add("k", type: 7, [2]) } == "byte 37: k should be true (1) or false (0) and is 2")
        #expect(error { $0.add("k", type: 8, GGUFBuilder.little(UInt64(99)) + [1]) } == "byte 45: the file ends inside k; 99 bytes were expected, 1 are there: fetch the file again")
        #expect(error { $0.add("k", type: 8, GGUFBuilder.little(UInt64.max)) } == "byte 37: the length of k is 18446744073709551615, which is beyond any file")
        #expect(error { $0.add("k", type: 9, GGUFBuilder.little(UInt32(4)) + GGUFBuilder.little(UInt64(1 << 40))) } == "byte 41: k is announced with 1099511627776 elements, more than the header can hold")
        #expect(error { $0.add("k", 1 as UInt32); $0.add("k", 2 as UInt32) } == "byte 41: the metadata key k stands twice")
        let nested = (0 ..< 6).reduce([UInt8]()) { inner, _ in GGUFBuilder.little(UInt32(9)) + GGUFBuilder.little(UInt64(1)) + inner } + [UInt8](repeating: 0, count: 64)
        #expect(error { $0.add("k", type: 9, nested) } == "byte 85: k nests arrays more than 4 deep")
    }

    @Test func namesTheFaultOfATensor() {
        #expect(error { $0.tensor("a", [1], [1]); $0.tensor("a", [1], [1]) } == "byte 57: the tensor a stands twice")
        #expect(error { $0.tensor("a b", [1], [1]) } == "byte 24: the name of tensor 0 is not a printable ASCII name of at most 256 letters")
        #expect(error { $0.entry("a", [], type: 0, offset: 0); $0.data = [0, 0, 0, 0] } == "byte 33: a has 0 dimensions; 1 to 4 are possible")
        #expect(error { $0.entry("a", [1, 1, 1, 1, 1], type: 0, offset: 0) } == "byte 33: a has 5 dimensions; 1 to 4 are possible")
        #expect(error { $0.entry("a", [256], type: 12, offset: 0) } == "byte 45: a is stored as Q4_K, which is not supported; take a file whose tensors are F32, F16, BF16, Q8_0, Q4_0 or Q4_1")
        #expect(error { $0.entry("a", [256], type: 77, offset: 0) } == "byte 45: a is stored as type 77, which is not supported; take a file whose tensors are F32, F16, BF16, Q8_0, Q4_0 or Q4_1")
        #expect(error { $0.entry("a", [33], type: 8, offset: 0) } == "byte 24: a of shape [33] cannot be stored as Q8_0, in blocks of 32")
        #expect(error { $0.entry("a", [0], type: 0, offset: 0) } == "byte 24: a of shape [0] cannot be stored as F32, in blocks of 1")
        #expect(error { $0.entry("a", [1 << 40, 1 << 40], type: 0, offset: 0) } == "byte 24: a of shape [1099511627776, 1099511627776] cannot be stored as F32, in blocks of 1")
        #expect(error { $0.entry("a", [1 << 61], type: 0, offset: 0) } == "byte 24: a of shape [2305843009213693952] cannot be stored as F32, in blocks of 1")
        #expect(error { $0.entry("a", [.max], type: 0, offset: 0) } == "byte 37: a dimension of a is 18446744073709551615, which is beyond any file")
        #expect(error { $0.entry("a", [1], type: 0, offset: 4); $0.data = [0, 0, 0, 0, 0, 0, 0, 0] } == "byte 24: a starts at 4 of the data, which is no multiple of the alignment 32")
        #expect(error { $0.entry("a", [4], type: 0, offset: 0); $0.data = [1] } == "byte 24: the data of a (16 bytes at 0 of the data) goes beyond the end of the file, which is 65 bytes long: fetch the file again")
        #expect(error { $0.entry("a", [4], type: 0, offset: UInt64(Int64.max) / 32 * 32) } == "byte 24: the data of a (16 bytes at 9223372036854775776 of the data) goes beyond the end of the file, which is 64 bytes long: fetch the file again")
        #expect(error { $0.entry("a", [16], type: 0, offset: 0); $0.entry("b", [1], type: 0, offset: 32); $0.data = [UInt8](repeating: 0, count: 64) } == "the data of a and b overlap")
        #expect(error { $0.add("general.alignment", 12 as UInt32); $0.tensor("a", [1], [1]) } == "general.alignment is not a power of two of at least 8")
        #expect(error { $0.add("general.alignment", type: 10, GGUFBuilder.little(UInt64(1 << 62))); $0.tensor("a", [1], [1]) }
            == "byte 61: the data of a (4 bytes at 0 of the data) goes beyond the end of the file, which is 100 bytes long: fetch the file again")
    }

    @Test func aHeaderOfAnySizeIsNotBelieved() throws {
        var builder = GGUFBuilder()
        builder.add("l", (0 ..< 100).map { "token \($0)" })
        builder.tensor("a", [1], [1])
        try put(builder.bytes, path)
        #expect(try GGUFFile(path: path, headerLimit: builder.bytes.count - 4).tensors.count == 1)
        #expect(message { try GGUFFile(path: path, headerLimit: 900) } == path + ": byte 895: the header with l goes beyond 900 bytes, the most that is read")
        #expect(message { try GGUFFile(path: path, headerLimit: 60) } == path + ": byte 41: l is announced with 100 elements, more than the header can hold")
    }

    // MARK: damage

    private static let small: [UInt8] = {
        var builder = GGUFBuilder()
        builder.add("general.alignment", 32 as UInt32)
        builder.add("s", "text")
        builder.add("l", ["a", "bc"])
        builder.add("f", [1.5, 2.5] as [Float])
        builder.tensor("w", [2, 3], [1, 2, 3, 4, 5, 6])
        builder.tensor("v", [2], [7, 8])
        return builder.bytes
    }()

    @Test func refusesEveryCut() throws {
        #expect(try open(Self.small).tensors.count == 2)
        for length in 0 ..< Self.small.count {
            let text = message { try open(Array(Self.small[..<length])) }
            #expect(text.hasPrefix(path + ": "), "cut at \(length): \(text)")
        }
    }

    /// The format has no checksum, so a flip can make another valid header; it must never trap nor read outside.
    @Test func survivesEveryFlippedBit() throws {
        var refused = 0
        for at in Self.small.indices {
            for bit in 0 ..< 8 {
                var bytes = Self.small
                bytes[at] ^= 1 << bit
                do {
                    let file = try open(bytes)
                    for tensor in file.tensors { #expect(file.floats(tensor).count == tensor.elements, "bit \(bit) of byte \(at)") }
                } catch let error as InputError {
                    refused += 1
                    #expect(error.status == .invalidData && error.message.hasPrefix(path + ": "), "bit \(bit) of byte \(at): \(error)")
                }
            }
        }
        #expect(refused > Self.small.count, "only \(refused) flips were refused")
    }
}
