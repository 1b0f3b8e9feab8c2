import Testing
@testable import ModelFiles

@Suite struct ElementTypeTests {
    /// All 65536 halves against Swift's own conversion, which knows NaN only as such.
    @Test func everyHalfIsExact() {
        #if arch(x86_64) || arch(arm64)
        for bits in UInt16.min ... UInt16.max {
            let want = Float(Float16(bitPattern: bits)), got = floatFromHalf(bits)
            if want.isNaN {
                #expect(got.isNaN && (got.sign == .minus) == (bits & 0x8000 != 0), "\(bits)")
                #expect(got.bitPattern & 0x7FFFFF == UInt32(bits & 0x3FF) << 13, "payload of \(bits)")
            } else if want.bitPattern != got.bitPattern {
                Issue.record("half \(bits): \(got) instead of \(want)")
            }
        }
        #endif
    }

    @Test func namedValues() {
        #expect(floatFromHalf(0x3C00) == 1 && floatFromHalf(0xC000) == -2 && floatFromHalf(0x7BFF) == 65504)
        #expect(floatFromHalf(0x0001) == 0x1p-24 && floatFromHalf(0x8000).bitPattern == 0x8000_0000)
        #expect(floatFromHalf(0x7C00) == .infinity && floatFromHalf(0xFC00) == -.infinity)
        #expect(floatFromBFloat16(0x3F80) == 1 && floatFromBFloat16(0xC049).bitPattern == 0xC049_0000)
    }

    @Test func doublesRoundToNearest() {
        let doubles: [Double] = [1, 1 + 0x1p-24, 1 + 0x1.8p-24, 1 + 0x1.8p-23, -0.1, 1e300, 1e-50]
        var floats = [Float](repeating: 0, count: doubles.count)
        doubles.withUnsafeBytes { source in floats.withUnsafeMutableBufferPointer { convertToFloat(source, .f64, $0) } }
        #expect(floats == [1, 1, 1 + 0x1p-23, 1 + 0x1p-22, -0.1, .infinity, 0])
    }
}
