/// Python's `random.Random` as far as the harness uses it: few-shot examples must be the ones that lm-eval draws.
///
/// The generator is MT19937 (Matsumoto and Nishimura 1998) seeded by `init_by_array`; `sample` follows CPython's choice of algorithm.
struct PythonRandom {
    private var state = [UInt32](repeating: 0, count: 624)
    private var index = 624

    /// As `random.Random(seed)` for a whole number of up to 64 bits.
    init(seed: UInt64) {
        // CPython hands the seed over as 32-bit digits, least significant first, without leading zeros, but at least one.
        let digits = seed >> 32 == 0 ? [UInt32(seed)] : [UInt32(truncatingIfNeeded: seed), UInt32(seed >> 32)]
        state[0] = 19_650_218
        for i in 1 ..< 624 { state[i] = 1_812_433_253 &* (state[i - 1] ^ (state[i - 1] >> 30)) &+ UInt32(i) }
        var i = 1, j = 0
        for _ in 0 ..< 624 {
            state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) &* 1_664_525)) &+ digits[j] &+ UInt32(j)
            i += 1
            j = (j + 1) % digits.count
            if i == 624 { (state[0], i) = (state[623], 1) }
        }
        for _ in 0 ..< 623 {
            state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) &* 1_566_083_941)) &- UInt32(i)
            i += 1
            if i == 624 { (state[0], i) = (state[623], 1) }
        }
        state[0] = 0x8000_0000
    }

    mutating func nextWord() -> UInt32 {
        if index == 624 {
            for k in 0 ..< 624 {
                let y = (state[k] & 0x8000_0000) | (state[(k + 1) % 624] & 0x7FFF_FFFF)
                state[k] = state[(k + 397) % 624] ^ (y >> 1) ^ (y & 1 == 0 ? 0 : 0x9908_B0DF)
            }
            index = 0
        }
        var y = state[index]
        index += 1
        y ^= y >> 11
        y ^= (y << 7) & 0x9D2C_5680
        y ^= (y << 15) & 0xEFC6_0000
        return y ^ (y >> 18)
    }

    /// As `_randbelow(bound)` for 1 <= bound < 2^32: draws of as many bits as `bound` has, until one is below it.
    mutating func below(_ bound: Int) -> Int {
        let bits = Int.bitWidth - bound.leadingZeroBitCount
        while true {
            let value = Int(nextWord() >> UInt32(32 - bits))
            if value < bound { return value }
        }
    }

    /// As `sample(range(population), count)`; count <= population < 2^32.
    mutating func sample(population: Int, count: Int) -> [Int] {
        // CPython: a set of `count` elements takes 21 + 4^ceil(log4(3 count)) words; a list is used where it is not larger.
        var setSize = 21
        if count > 5 {
            var power = 1
            while power < 3 * count { power *= 4 }
            setSize += power
        }
        var result: [Int] = []
        result.reserveCapacity(count)
        if population <= setSize {
            var pool = Array(0 ..< population)
            for i in 0 ..< count {
                let j = below(population - i)
                result.append(pool[j])
                pool[j] = pool[population - i - 1]
            }
        } else {
            var selected = Set<Int>()
            for _ in 0 ..< count {
                var j = below(population)
                while !selected.insert(j).inserted { j = below(population) }
                result.append(j)
            }
        }
        return result
    }
}
