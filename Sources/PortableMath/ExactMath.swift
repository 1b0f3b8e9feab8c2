/// Exponential, logarithm and softmax with the same bits on every machine: plain IEEE double operations in a fixed order, no fused
/// multiply-add (Swift does not contract), no libm. Whatever reaches the bytes of a stream is computed with these.
///
/// exp and log are off by at most one unit in the last place (2 % of results are not the nearest double); the constants come from
/// `fixtures/numerics/make_exact_math.py`, which also holds a second implementation that the tests compare bit for bit.
public enum ExactMath {
    /// e^x. Overflow gives infinity, underflow passes through the subnormals to 0, NaN stays NaN.
    public static func exp(_ x: Double) -> Double {
        if x.isNaN { return x }
        if x > 709.782712893384 { return .infinity }
        if x < -745.1332191019412 { return 0 }
        // x = n ln2/32 + r. The high part of ln2/32 has 34 bits and n at most 16, so their product is exact.
        let n = (x * stepsPerUnit + roundToInteger) - roundToInteger
        let r = (x - n * stepHigh) - n * stepLow
        let k = Int(n)
        let (high, low) = powers[k & 31]
        // |r| < 0.011: the first term left out is below 4e-18.
        let p = r + r * r * (0.5 + r * (1.0 / 6 + r * (1.0 / 24 + r * (1.0 / 120 + r * (1.0 / 720)))))
        let value = Double(bitPattern: high) + (Double(bitPattern: low) + Double(bitPattern: high) * p)
        let exponent = k >> 5
        if exponent > 1000 { return value * powerOfTwo(exponent - 1000) * powerOfTwo(1000) }
        if exponent < -1000 { return value * powerOfTwo(-1000) * powerOfTwo(exponent + 1000) }
        return value * powerOfTwo(exponent)
    }

    /// The natural logarithm: -infinity at 0, NaN below.
    public static func log(_ x: Double) -> Double {
        if x.isNaN || x < 0 { return .nan }
        if x == 0 { return -.infinity }
        if x == .infinity { return x }
        var bits = x.bitPattern
        var exponent = 0
        if bits >> 52 == 0 {
            bits = (x * 0x1p54).bitPattern
            exponent = -54
        }
        exponent += Int(bits >> 52) - 1023
        var m = Double(bitPattern: bits & 0x000F_FFFF_FFFF_FFFF | 1023 << 52)
        if m > 1.4142135623730951 {
            m *= 0.5
            exponent += 1
        }
        // log m = 2 artanh(s) with s = (m - 1)/(m + 1), rearranged around f = m - 1, which is exact, so that only its correction is rounded.
        let f = m - 1
        let s = f / (2 + f)
        let z = s * s
        var series = 2.0 / 27
        for divisor in stride(from: 25, to: 1, by: -2) { series = 2 / Double(divisor) + z * series }
        series *= z
        let half = 0.5 * f * f
        let k = Double(exponent)
        return k * ln2High - ((half - (s * (half + series) + k * ln2Low)) - f)
    }

    /// exp(v / temperature) over its sum, for each value: shifted by the greatest, summed from the first to the last. An entry of -infinity gets
    /// 0. Empty for no values; all NaN when a value is NaN or none is above -infinity.
    public static func softmax(_ values: [Double], temperature: Double = 1) -> [Double] {
        var result = values
        softmax(&result, in: values.indices, temperature: temperature)
        return result
    }

    /// The same of a part of an array, in its place.
    public static func softmax(_ values: inout [Double], in range: Range<Int>, temperature: Double) {
        guard !range.isEmpty else { return }
        var greatest = values[range.lowerBound]
        for i in range where values[i] > greatest { greatest = values[i] }
        var sum = 0.0
        for i in range {
            values[i] = exp((values[i] - greatest) / temperature)
            sum += values[i]
        }
        for i in range { values[i] /= sum }
    }

    /// log of the sum of exp(v): -infinity for no values.
    public static func logSumExp(_ values: [Double]) -> Double {
        guard var greatest = values.first else { return -.infinity }
        for value in values where value > greatest { greatest = value }
        guard greatest > -.infinity else { return greatest }
        var sum = 0.0
        for value in values { sum += exp(value - greatest) }
        return greatest + log(sum)
    }

    /// 2^e for a normal result.
    @inline(__always)
    private static func powerOfTwo(_ e: Int) -> Double { Double(bitPattern: UInt64(e + 1023) << 52) }

    /// Adding and subtracting 1.5 * 2^52 rounds to the nearest integer, ties to even.
    private static let roundToInteger = 0x1.8p52
    private static let stepHigh = Double(bitPattern: 0x3F96_2E42_FEF8_0000)
    private static let stepLow = Double(bitPattern: 0x3D61_CF79_ABC9_E3B4)
    private static let stepsPerUnit = Double(bitPattern: 0x4047_1547_652B_82FE)
    private static let ln2High = Double(bitPattern: 0x3FE6_2E42_FEFA_2000)
    private static let ln2Low = Double(bitPattern: 0x3D69_EF35_793C_7673)

    /// 2^(j/32) as the nearest double and what is left of it.
    private static let powers: [(high: UInt64, low: UInt64)] = [
        (0x3FF0000000000000, 0x0000000000000000), (0x3FF059B0D3158574, 0x3C8D73E2A475B465),
        (0x3FF0B5586CF9890F, 0x3C98A62E4ADC610B), (0x3FF11301D0125B51, 0xBC96C51039449B3A),
        (0x3FF172B83C7D517B, 0xBC819041B9D78A76), (0x3FF1D4873168B9AA, 0x3C9E016E00A2643C),
        (0x3FF2387A6E756238, 0x3C99B07EB6C70573), (0x3FF29E9DF51FDEE1, 0x3C8612E8AFAD1255),
        (0x3FF306FE0A31B715, 0x3C86F46AD23182E4), (0x3FF371A7373AA9CB, 0xBC963AEABF42EAE2),
        (0x3FF3DEA64C123422, 0x3C8ADA0911F09EBC), (0x3FF44E086061892D, 0x3C489B7A04EF80D0),
        (0x3FF4BFDAD5362A27, 0x3C7D4397AFEC42E2), (0x3FF5342B569D4F82, 0xBC807ABE1DB13CAD),
        (0x3FF5AB07DD485429, 0x3C96324C054647AD), (0x3FF6247EB03A5585, 0xBC9383C17E40B497),
        (0x3FF6A09E667F3BCD, 0xBC9BDD3413B26456), (0x3FF71F75E8EC5F74, 0xBC816E4786887A99),
        (0x3FF7A11473EB0187, 0xBC841577EE04992F), (0x3FF82589994CCE13, 0xBC9D4C1DD41532D8),
        (0x3FF8ACE5422AA0DB, 0x3C96E9F156864B27), (0x3FF93737B0CDC5E5, 0xBC675FC781B57EBC),
        (0x3FF9C49182A3F090, 0x3C7C7C46B071F2BE), (0x3FFA5503B23E255D, 0xBC9D2F6EDB8D41E1),
        (0x3FFAE89F995AD3AD, 0x3C97A1CD345DCC81), (0x3FFB7F76F2FB5E47, 0xBC75584F7E54AC3B),
        (0x3FFC199BDD85529C, 0x3C811065895048DD), (0x3FFCB720DCEF9069, 0x3C7503CBD1E949DB),
        (0x3FFD5818DCFBA487, 0x3C82ED02D75B3707), (0x3FFDFC97337B9B5F, 0xBC91A5CD4F184B5C),
        (0x3FFEA4AFA2A490DA, 0xBC9E9C23179C2893), (0x3FFF50765B6E4540, 0x3C99D3E12DD8A18B),
    ]
}
