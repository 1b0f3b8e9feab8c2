import SystemIO
import TestSupport
import Testing

@testable import RecordStream

/// Guarantees G1 and G2: the golden file of every kind and codec, damaged in every way that can be counted through.
@Suite struct ExhaustiveDamageTests {
    @Test(arguments: SampleStream.golden) func wholeStreamIsRead(sample: SampleStream) throws {
        #expect(try sample.read(sample.bytes) == 3)
    }

    @Test(arguments: SampleStream.golden) func everyCutIsRefused(sample: SampleStream) throws {
        for length in 0 ..< sample.bytes.count {
            let error = try sample.refusal(of: Array(sample.bytes[..<length]))
            guard let error, error.status == .invalidData else {
                Issue.record("cut to \(length) of \(sample.bytes.count) bytes: \(error?.message ?? "accepted")")
                return
            }
        }
    }

    @Test(arguments: SampleStream.golden) func everyFlipIsRefused(sample: SampleStream) throws {
        for at in sample.bytes.indices {
            for bit in 0 ..< 8 {
                var damaged = sample.bytes
                damaged[at] ^= 1 << bit
                let error = try sample.refusal(of: damaged)
                guard let error, error.status == .invalidData else {
                    Issue.record("bit \(bit) of byte \(at) flipped: \(error?.message ?? "accepted")")
                    return
                }
            }
        }
    }

    @Test(arguments: SampleStream.golden) func anythingAfterTheEndIsRefused(sample: SampleStream) throws {
        let lastFrame = Array(sample.bytes.suffix(128)), other = try Sample.stream([LogProbRecord]())
        let expected = "memory: at byte \(sample.bytes.count): there is more after the end mark (streams joined with cat are not one stream; name them all as inputs instead)"
        let more: [[UInt8]] = (0 ... 255).map { [$0] } + [[UInt8](repeating: 0, count: 64), lastFrame, sample.bytes, other]
        for bytes in more { #expect(try sample.refusal(of: sample.bytes + bytes)?.message == expected, "\(bytes.prefix(8))") }
    }

    /// Pieces of the file taken out, doubled and swapped at every 64 bytes, where frames and arrays start.
    @Test(arguments: SampleStream.golden) func movedPiecesAreRefused(sample: SampleStream) throws {
        let bytes = sample.bytes
        var generator = SeededGenerator(seed: 7)
        for start in stride(from: 0, to: bytes.count, by: 64) {
            for end in stride(from: start + 64, through: bytes.count, by: 64) where end - start <= 256 || Int.random(in: 0 ..< 8, using: &generator) == 0 {
                let without = Array(bytes[..<start] + bytes[end...]), doubled = Array(bytes[..<end] + bytes[start...])
                guard try sample.refusal(of: without) != nil, try sample.refusal(of: doubled) != nil else {
                    Issue.record("bytes \(start) to \(end) taken out or doubled: accepted")
                    return
                }
            }
        }
    }
}
