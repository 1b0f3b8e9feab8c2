import Foundation
import Testing
import TestSupport
@testable import PortableMath

@Suite struct ExactMathTests {
    private struct Case { var function: String, argument: Double, rounded: Double, ours: UInt64 }

    private func cases() throws -> [Case] {
        let text = try String(contentsOfFile: Fixtures.path("numerics/exact_math.txt"), encoding: .utf8)
        return try text.split(separator: "\n").map { line in
            let fields = line.split(separator: " ")
            func bits(_ i: Int) throws -> UInt64 { try #require(UInt64(fields[i], radix: 16)) }
            return Case(function: String(fields[0]), argument: Double(bitPattern: try bits(1)), rounded: Double(bitPattern: try bits(2)), ours: try bits(3))
        }
    }

    /// Bits equal to the second implementation's, and at most one unit in the last place from the correctly rounded value.
    @Test func expAndLogHaveTheirGoldenBits() throws {
        let cases = try cases()
        #expect(cases.count > 500)
        for test in cases {
            let value = test.function == "exp" ? ExactMath.exp(test.argument) : ExactMath.log(test.argument)
            #expect(value.bitPattern == test.ours, "\(test.function)(\(test.argument)) = \(value), golden \(Double(bitPattern: test.ours))")
            if test.rounded != 0, test.rounded.isFinite {
                #expect(abs(value - test.rounded) <= test.rounded.ulp, "\(test.function)(\(test.argument)) = \(value), exact \(test.rounded)")
            }
        }
    }

    /// libm is an independent witness over many more arguments than the file holds.
    @Test func expAndLogAgreeWithLibm() {
        var random = CounterRandom(seed: 5)
        var differences = 0
        for i in 0..<200_000 {
            let x = i % 2 == 0 ? -745 + 1454 * random.uniform() : 2 * random.uniform() - 1
            let e = ExactMath.exp(x), y = Double(bitPattern: random.next() >> 1), l = ExactMath.log(y)
            if e != Foundation.exp(x) { differences += 1 }
            #expect(abs(e - Foundation.exp(x)) <= e.ulp, "exp(\(x))")
            guard y.isFinite else { continue }
            #expect(abs(l - Foundation.log(y)) <= l.ulp, "log(\(y))")
        }
        #expect(differences < 10_000, "\(differences) of 200000 are not libm's")
    }

    @Test func edges() {
        #expect(ExactMath.exp(0) == 1)
        #expect(ExactMath.exp(710) == .infinity)
        #expect(ExactMath.exp(.infinity) == .infinity)
        #expect(ExactMath.exp(-746) == 0)
        #expect(ExactMath.exp(-.infinity) == 0)
        #expect(ExactMath.exp(.nan).isNaN)
        #expect(ExactMath.exp(-745.13) == .leastNonzeroMagnitude)
        #expect(ExactMath.log(1) == 0)
        #expect(ExactMath.log(0) == -.infinity)
        #expect(ExactMath.log(-1).isNaN)
        #expect(ExactMath.log(.infinity) == .infinity)
        #expect(ExactMath.log(.nan).isNaN)
    }

    @Test func softmaxOfRatings() {
        let p = ExactMath.softmax([4, 2, 5, 3])
        for (value, expected) in zip(p, [0.2369, 0.0321, 0.6439, 0.0871]) { #expect(abs(value - expected) < 5e-5, "\(p)") }
        let tied = ExactMath.softmax([5, 5, 5, 1])
        for (value, expected) in zip(tied, [0.3313, 0.3313, 0.3313, 0.0061]) { #expect(abs(value - expected) < 5e-5, "\(tied)") }
        #expect(p.map(\.bitPattern) == [0x3FCE522D1A571A01, 0x3FA069FC39496C29, 0x3FE49AF213F4B349, 0x3FB64F170F077B99])
        #expect(ExactMath.softmax([]) == [])
        #expect(ExactMath.softmax([-.infinity, 7]) == [0, 1])
        #expect(ExactMath.softmax([1e308, -1e308]) == [1, 0])
        #expect(ExactMath.softmax([2, 4], temperature: 2) == ExactMath.softmax([1, 2]))
        #expect(ExactMath.logSumExp([-1000, -1000]) == -1000 + ExactMath.log(2))
        #expect(ExactMath.logSumExp([]) == -.infinity)
    }
}
