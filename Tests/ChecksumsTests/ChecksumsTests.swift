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
}
