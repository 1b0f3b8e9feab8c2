import Testing
@testable import PortableMath

@Suite struct CounterRandomTests {
    /// The published vectors of Philox4x32-10 (Random123, kat_vectors).
    @Test func philoxKnownAnswers() {
        let ones: UInt32 = 0xFFFF_FFFF
        #expect(Philox4x32.block((0, 0, 0, 0), (0, 0)) == (0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8))
        #expect(Philox4x32.block((ones, ones, ones, ones), (ones, ones)) == (0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD))
        #expect(Philox4x32.block((0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344), (0xA409_3822, 0x299F_31D0))
                == (0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1))
    }

    @Test func everyPartOfThePurposeCounts() {
        var seen: Set<UInt64> = []
        let purposes: [(UInt64, UInt32, UInt64, (UInt64, UInt64))] = [
            (1, 0, 0, (0, 0)), (1 << 32, 0, 0, (0, 0)), (0, 1, 0, (0, 0)), (0, 0, 1, (0, 0)), (0, 0, 1 << 40, (0, 0)), (0, 0, 0, (1, 0)),
            (0, 0, 0, (0, 1)), (0, 0, 0, (1 << 40, 0)), (0, 0, 0, (0, 1 << 63)), (0, 0, 0, (0, 0)),
        ]
        for (seed, stream, epoch, record) in purposes {
            var random = CounterRandom(seed: seed, stream: stream, epoch: epoch, record: record)
            for _ in 0..<4 { #expect(seen.insert(random.next()).inserted, "\(seed) \(stream) \(epoch) \(record)") }
        }
        var again = CounterRandom(seed: 0)
        #expect(seen.contains(again.next()))
    }

    @Test func momentsOfTheLaws() {
        var random = CounterRandom(seed: 11)
        let n = 200_000
        var mean = 0.0, square = 0.0
        for _ in 0..<n { let u = random.uniform(); #expect(u >= 0 && u < 1); mean += u }
        #expect(abs(mean / Double(n) - 0.5) < 0.003)
        (mean, square) = (0, 0)
        for _ in 0..<n { let x = random.normal(); mean += x; square += x * x }
        #expect(abs(mean / Double(n)) < 0.01)
        #expect(abs(square / Double(n) - 1) < 0.02)
        for shape in [0.3, 1, 2.5, 40] {
            (mean, square) = (0, 0)
            for _ in 0..<n { let g = ExactMath.exp(random.logGamma(shape: shape)); mean += g; square += g * g }
            mean /= Double(n)
            #expect(abs(mean / shape - 1) < 0.02, "mean of Gamma(\(shape))")
            #expect(abs((square / Double(n) - mean * mean) / shape - 1) < 0.05, "variance of Gamma(\(shape))")
        }
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[random.below(7)] += 1 }
        for count in counts { #expect(abs(count - 10_000) < 500, "\(counts)") }
    }

    @Test(arguments: [0.001, 0.2, 1, 5])
    func dirichletLiesOnTheSimplex(concentration: Double) {
        var random = CounterRandom(seed: 3)
        var sums = [0.0, 0, 0, 0], square = 0.0
        let n = 20_000
        for _ in 0..<n {
            let weights = random.dirichlet(concentration: concentration, count: 4)
            #expect(abs(weights.reduce(0, +) - 1) < 1e-15 * 4)
            for i in 0..<4 { #expect(weights[i] >= 0); sums[i] += weights[i] }
            square += weights[0] * weights[0]
        }
        // Mean 1/m; variance (1/m)(1 - 1/m)/(m a + 1).
        for sum in sums { #expect(abs(sum / Double(n) - 0.25) < 0.015, "\(sums)") }
        let variance = square / Double(n) - sums[0] / Double(n) * sums[0] / Double(n)
        #expect(abs(variance / (0.1875 / (4 * concentration + 1)) - 1) < 0.06)
    }

    /// From the second implementation in fixtures/numerics/make_counter_random.py.
    @Test func goldenBits() {
        var random = CounterRandom(seed: 42, stream: 7, epoch: 3, record: (0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210))
        let drawn = [random.uniform(), random.openUniform(), random.normal(), random.normal(), random.logGamma(shape: 0.5)] + random.dirichlet(concentration: 1, count: 3)
        #expect(drawn.map { String($0.bitPattern, radix: 16) } == [
            "3fd3491c32ba9452", "3fc8cbe1183ceac4", "bfc87d86f38a73cc", "bff5bbe29838cf74", "bfe371beec64e9cd", "3fc9c36351785dab", "3fe1a61b62bc4503", "3fcfa42f23968e47",
        ])
    }

    @Test func shuffleIsAPermutation() {
        var random = CounterRandom(seed: 1)
        var values = Array(0..<100)
        random.shuffle(&values)
        #expect(values.sorted() == Array(0..<100))
        #expect(values != Array(0..<100))
        var one = [5]
        random.shuffle(&one)
        #expect(one == [5])
        #expect(random.below(1) == 0)
    }
}
