import CChecksums
import TestSupport
import Testing

@testable import Checksums

@Suite struct ChecksumsTests {
    @Test func crc32cCheckValues() {
        // The check value of CRC-32C and two vectors of RFC 3720, appendix B.4.
        #expect(crc32c(Array("123456789".utf8)) == 0xE306_9283)
        #expect(crc32c([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(crc32c([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(crc32c([]) == 0)
    }

    @Test func fastCRCEqualsTheTable() {
        var generator = SeededGenerator(seed: 7)
        for length in Array(0 ... 70) + [3071, 3072, 3073, 6144, 10_000, 100_003] {
            let bytes = (0 ..< length).map { _ in UInt8.random(in: 0 ... 255, using: &generator) }
            #expect(crc32c(bytes) == bytes.withUnsafeBytes { uf_crc32c_table(0, $0.baseAddress, $0.count) }, "length \(length)")
            let cut = length / 3
            #expect(crc32c(Array(bytes[cut...]), continuing: crc32c(Array(bytes[..<cut]))) == crc32c(bytes), "length \(length)")
        }
    }

    @Test func sha256CheckValues() {
        // FIPS 180-4 examples.
        #expect(SHA256.hexDigest(of: Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(SHA256.hexDigest(of: []) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        var pieces = SHA256()
        for byte in "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8 { pieces.update([byte]) }
        #expect(pieces.hexDigest() == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        #expect(pieces.count == 56)
    }

    /// nettle's way and the one through the processor's instructions, however the bytes are cut.
    @Test func instructionsForSHA256EqualNettle() {
        guard SHA256.hasInstructions else { return print("skipped: the processor has no SHA-256 instructions") }
        var generator = SeededGenerator(seed: 8)
        for length in Array(0 ... 300) + [1023, 4096, 100_003] {
            let bytes = (0 ..< length).map { _ in UInt8.random(in: 0 ... 255, using: &generator) }
            var plain = SHA256(usesInstructions: false), fast = SHA256(usesInstructions: true)
            plain.update(bytes)
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = min(rest.count, Int.random(in: 1 ... 400, using: &generator))
                fast.update(Array(rest.prefix(piece)))
                rest = rest.dropFirst(piece)
            }
            #expect(fast.digest() == plain.digest() && fast.count == plain.count, "\(length) bytes")
        }
    }

    /// Every length around the ends of blocks, in any company: both lanes end first.
    @Test(arguments: [nil, 1, 2, 16]) func messagesHaveTheDigestsTheyHaveAlone(lanes: Int?) {
        guard lanes.map({ SHA256.hasInstructions && $0 <= SHA256.lanes }) ?? true else { return print("skipped: the processor does not take \(lanes!) messages in step") }
        var generator = SeededGenerator(seed: 9)
        var digests = MessageDigests(lanes: lanes)
        #expect(digests.finish().isEmpty)
        for count in [1, 2, 3, 130, 20] {
            let messages = (0 ..< count).map { number in (0 ..< (count == 130 ? number : Int.random(in: 0 ... 5000, using: &generator))).map { UInt8(truncatingIfNeeded: $0 * number) } }
            for message in messages {
                let cut = message.count / 3
                message[..<cut].withUnsafeBytes { digests.append($0) }
                message[cut...].withUnsafeBytes { digests.append($0) }
                digests.endMessage()
            }
            let expected = messages.flatMap { message -> [UInt32] in
                let digest = SHA256.digest(of: message)
                return (0 ..< 8).map { word in digest[(4 * word) ..< (4 * word + 4)].reduce(0) { $0 << 8 | UInt32($1) } }
            }
            #expect(digests.finish() == expected)
        }
    }

    @Test(arguments: [1, 2, 16]) func textsInStepHaveTheirOwnDigests(lanes: Int) {
        guard lanes <= SHA256.lanes else { return print("skipped: the processor does not take \(lanes) messages in step") }
        let all = (0 ..< 5000).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 >> 5) }
        var generator = SeededGenerator(seed: 10)
        let lengths = [[], [0], [0, 0], [0, 200], [63, 64], [64, 64], [65, 5000], [4096, 1000], [5000, 5000]]
            + [9, 10, 15, 16, 17, 40].flatMap { count in [[Int](repeating: 4096, count: count), (0 ..< count).map { _ in Int.random(in: 0 ... 5000, using: &generator) }] }
        for lengths in lengths {
            let texts = lengths.enumerated().map { number, length in Array(all[(5000 - length)...].map { $0 &+ UInt8(number) }) }
            let raw = texts.map { text in UnsafeRawBufferPointer.allocateCopy(of: text) }
            defer { raw.forEach { $0.deallocate() } }
            #expect(SHA256.digests(of: raw, lanes: lanes) == texts.map { SHA256.digest(of: $0) }, "\(lengths)")
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate static func allocateCopy(of bytes: [UInt8]) -> UnsafeRawBufferPointer {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        copy.copyBytes(from: bytes)
        return UnsafeRawBufferPointer(copy)
    }
}
