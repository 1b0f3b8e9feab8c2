import SystemIO
import Testing
import TestSupport
@testable import RecordStream

@Suite struct ShardTests {
    @Test func namesFollowTheirPattern() throws {
        let names = try #require(ShardNames("out/train-%05d-of-%05d.uf"))
        #expect(names.name(3, of: 12) == "out/train-00003-of-00012.uf" && names.manifest == "out/train.MANIFEST")
        #expect(ShardNames("%d.%d")?.name(0, of: 1) == "0.1" && ShardNames("%d.%d")?.manifest == "MANIFEST" && ShardNames("a/%02d_%d")?.manifest == "a/MANIFEST")
        #expect(ShardNames("x%d-%d")?.name(123_456, of: 200_000) == "x123456-200000")
        for pattern in ["", "train.uf", "train-%05d.uf", "%d/%d", "%d%d", "%5d-%5d", "%x-%d", "a-%d-%d-%d", "a-%", "%d-%s", "%09999d-%d"] {
            #expect(ShardNames(pattern) == nil, "\(pattern)")
        }
    }

    @Test func manifestsReadWhatTheyWrite() throws {
        let manifest = ShardManifest([.init(name: "a-0-of-2.uf", sha256: String(repeating: "a1", count: 32)), .init(name: "odd  name", sha256: String(repeating: "0", count: 64))])
        #expect(try ShardManifest(Array(manifest.text.utf8), name: "M") == manifest)
        func message(_ text: String) -> String? {
            do {
                _ = try ShardManifest(Array(text.utf8), name: "M")
                return nil
            } catch { return "\(error)" }
        }
        let digest = String(repeating: "0", count: 64)
        #expect(message("") == "M: it does not end with a line feed: the list is cut or empty")
        #expect(message("\(digest)  a\n\(digest)  b") == "M: it does not end with a line feed: the list is cut or empty")
        #expect(message("\(digest)  a\n\n") == "M: line 2 is no SHA-256, two spaces and a file's name")
        #expect(message("\(digest) a\n") == "M: line 1 is no SHA-256, two spaces and a file's name")
        #expect(message("\(digest.dropLast())  a\n") == "M: line 1 is no SHA-256, two spaces and a file's name")
        #expect(message("\(digest)  ../a\n") == "M: line 1: \"../a\" is no name of a file beside it")
        #expect(message("\(digest)  a\n\(digest)  a\n") == "M: line 2: a stands twice")
    }

    /// Shards are even, and independent of the split that the same bits decide.
    @Test func hashesSpreadEvenly() {
        var counts = [Int](repeating: 0, count: 7), lowHalf = counts
        var generator = SeededGenerator(seed: 5)
        for _ in 0 ..< 70000 {
            let hash = UInt64.random(in: 0 ... .max, using: &generator), shard = ShardIdentity.shard(of: hash, count: 7)
            counts[shard] += 1
            if hash < 1 << 63 { lowHalf[shard] += 1 }
        }
        #expect(counts.allSatisfy { abs($0 - 10000) < 400 } && lowHalf.allSatisfy { abs($0 - 5000) < 300 }, "\(counts) \(lowHalf)")
        #expect((0 ..< 1000).allSatisfy { ShardIdentity.shard(of: $0, count: 1) == 0 })
        // These bits decide files that exist: they stay as they are.
        #expect([0, 1, 2, 0xFFFF_FFFF_FFFF_FFFF, 0x0123_4567_89AB_CDEF].map { ShardIdentity.shard(of: $0, count: 1000) } == [883, 566, 591, 893, 83])
    }
}
