import SystemIO
import TestSupport
import Testing

@testable import RecordStream

/// Guarantees G1 and G2 against damage of more than a bit: 10,000 seeded bursts over the golden files of every kind and codec.
@Suite struct RandomDamageTests {
    private static let files: [(name: String, bytes: [UInt8])] = GoldenStreams.kinds.flatMap { kind in
        Codec.allCases.map { "\(kind.kind)-\($0.name).uf" }
    }.map { ($0, (try? readWholeFile(GoldenStreams.path($0))) ?? []) }

    private enum Burst: CaseIterable {
        /// 1 to 64 bytes: random ones, or all the same.
        case random, zeros, ones
        /// 1 to 64 bytes at another place too, or exchanged with it.
        case copied, exchanged
        /// A whole sector of 512 bytes at a multiple of its size, as disks lose them.
        case sector
    }

    private func damaged(_ bytes: [UInt8], _ burst: Burst, _ generator: inout SeededGenerator) -> [UInt8] {
        var damaged = bytes
        let length = Int.random(in: 1 ... 64, using: &generator), at = Int.random(in: 0 ... bytes.count - length, using: &generator), range = at ..< at + length
        let other = Int.random(in: 0 ... bytes.count - length, using: &generator)
        switch burst {
        case .random: damaged.replaceSubrange(range, with: (0 ..< length).map { _ in UInt8.random(in: 0 ... 255, using: &generator) })
        case .zeros: damaged.replaceSubrange(range, with: repeatElement(0, count: length))
        case .ones: damaged.replaceSubrange(range, with: repeatElement(0xFF, count: length))
        case .copied: damaged.replaceSubrange(range, with: bytes[other ..< other + length])
        case .exchanged:
            damaged.replaceSubrange(range, with: bytes[other ..< other + length])
            damaged.replaceSubrange(other ..< other + length, with: bytes[range])
        case .sector:
            let start = at / 512 * 512, end = min(start + 512, bytes.count)
            damaged.replaceSubrange(start ..< end, with: repeatElement(0, count: end - start))
        }
        return damaged
    }

    @Test func everyBurstIsRefused() throws {
        var refused = 0, unchanged = 0
        for seed in 0 ..< 10_000 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let file = Self.files[Int(seed) % Self.files.count], burst = Burst.allCases[Int(seed) / Self.files.count % Burst.allCases.count]
            let bytes = damaged(file.bytes, burst, &generator)
            do {
                let reader = try RecordStreamReader(MemorySource(bytes))
                while let block = try reader.nextBlock() { try block.validateRecords() }
                #expect(bytes == file.bytes, "seed \(seed): \(burst) in \(file.name) was not noticed")
                unchanged += 1
            } catch let error as InputError {
                #expect(error.status == .invalidData && bytes != file.bytes, "seed \(seed): \(file.name): \(error)")
                refused += 1
            }
        }
        // Zeros over padding, or a range over its like, change nothing.
        #expect(refused > 8000 && refused + unchanged == 10_000, "\(refused) refused, \(unchanged) without a change")
        print("10000 bursts: \(refused) refused, \(unchanged) that changed no byte")
    }
}
