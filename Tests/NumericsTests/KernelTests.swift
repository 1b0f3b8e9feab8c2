import CNumerics
import Glibc
import Testing
import TestSupport
@testable import Numerics

/// Each kernel against its formula in double, at widths around the vector's.
struct KernelTests {
    static let widths = [1, 2, 7, 15, 16, 17, 31, 32, 33, 64, 100, 577]

    static func random(_ count: Int, _ seed: UInt64, in range: ClosedRange<Float> = -2 ... 2) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        return (0 ..< count).map { _ in Float.random(in: range, using: &generator) }
    }

    static func expectClose(_ x: [Float], _ y: [Double], _ tolerance: Double, _ what: String, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(x.count == y.count, sourceLocation: sourceLocation)
        for (index, (a, b)) in zip(x, y).enumerated() where !(abs(Double(a) - b) <= tolerance * max(1, abs(b))) {
            Issue.record("\(what)[\(index)]: \(a), expected \(b)", sourceLocation: sourceLocation)
            return
        }
    }

    @Test(arguments: widths)
    func rmsNorm(width: Int) {
        let rows = 5, x = KernelTests.random(rows * width, 1), weight = KernelTests.random(width, 2), dy = KernelTests.random(rows * width, 3)
        var y = [Float](repeating: .nan, count: rows * width), inverse = [Float](repeating: .nan, count: rows), again = y
        uf_rms_norm(x, weight, rows, width, 1e-5, &y, &inverse)
        uf_rms_norm_again(x, weight, inverse, rows, width, &again)
        #expect(y == again)
        var dx = [Float](repeating: 1, count: rows * width), dweight = [Float](repeating: 1, count: width)
        uf_rms_norm_backward(dy, x, weight, inverse, rows, width, &dx)
        uf_rms_norm_weight_gradient(dy, x, inverse, rows, width, 0, width, &dweight)
        var expected = [Double](), expectedDX = [Double](), expectedDW = [Double](repeating: 1, count: width)
        for row in 0 ..< rows {
            let v = (0 ..< width).map { Double(x[row * width + $0]) }, d = (0 ..< width).map { Double(dy[row * width + $0]) }
            let s = 1 / (v.reduce(0) { $0 + $1 * $1 } / Double(width) + 1e-5).squareRoot()
            let dot = (0 ..< width).reduce(0) { $0 + d[$1] * Double(weight[$1]) * v[$1] }
            for c in 0 ..< width {
                expected.append(v[c] * s * Double(weight[c]))
                expectedDX.append(1 + s * Double(weight[c]) * d[c] - v[c] * s * s * s / Double(width) * dot)
                expectedDW[c] += d[c] * v[c] * s
            }
        }
        KernelTests.expectClose(y, expected, 1e-6, "y, width \(width)")
        KernelTests.expectClose(dx, expectedDX, 3e-6, "dx, width \(width)")
        KernelTests.expectClose(dweight, expectedDW, 3e-6, "dweight, width \(width)")
    }

    @Test func rotationTurnsAndTurnsBack() {
        let rows = 3, heads = 2, half = 5, x = KernelTests.random(rows * heads * 2 * half, 1), angles = KernelTests.random(rows * half, 2)
        let cosines = angles.map { cos($0) }, sines = angles.map { sin($0) }
        var y = x
        uf_rotate_halves(&y, rows, heads, half, cosines, sines, 1)
        for row in 0 ..< rows {
            for head in 0 ..< heads {
                for i in 0 ..< half {
                    let a = (row * heads + head) * 2 * half + i, angle = Double(angles[row * half + i])
                    let (u, v) = (Double(x[a]), Double(x[a + half]))
                    #expect(abs(Double(y[a]) - (u * cos(angle) - v * sin(angle))) < 1e-6)
                    #expect(abs(Double(y[a + half]) - (v * cos(angle) + u * sin(angle))) < 1e-6)
                }
            }
        }
        uf_rotate_halves(&y, rows, heads, half, cosines, sines, -1)
        KernelTests.expectClose(y, x.map(Double.init), 1e-6, "turned back")
    }

    @Test(arguments: widths)
    func gatedUnit(count: Int) {
        let gate = KernelTests.random(count, 1, in: -30 ... 30), up = KernelTests.random(count, 2), dy = KernelTests.random(count, 3)
        var y = [Float](repeating: .nan, count: count), dgate = y, dup = y
        uf_silu_times(gate, up, count, &y)
        uf_silu_times_backward(dy, gate, up, count, &dgate, &dup)
        let sigmoid = gate.map { 1 / (1 + exp(-Double($0))) }
        KernelTests.expectClose(y, (0 ..< count).map { Double(gate[$0]) * sigmoid[$0] * Double(up[$0]) }, 1e-6, "y")
        KernelTests.expectClose(dup, (0 ..< count).map { Double(dy[$0]) * Double(gate[$0]) * sigmoid[$0] }, 1e-6, "dup")
        KernelTests.expectClose(dgate, (0 ..< count).map {
            let g = Double(gate[$0]), s = sigmoid[$0]
            return Double(dy[$0]) * Double(up[$0]) * (s + g * s * (1 - s))
        }, 2e-6, "dgate")
    }

    @Test(arguments: widths)
    func softmax(width: Int) {
        let rows = 4, stride = width + 3, visible = max(1, width - 2)
        let scores = KernelTests.random(rows * stride, 5, in: -40 ... 40)
        var p = scores, maxima = [Float](repeating: 0, count: rows), inverse = maxima
        uf_softmax_rows(&p, rows, stride, width, visible, 1, &maxima, &inverse, 1)
        var again = scores
        uf_probabilities_again(&again, rows, stride, width, visible - 1, maxima, inverse, 1)
        for row in 0 ..< rows {
            let seen = min(width, visible + row), s = scores[row * stride ..< row * stride + seen].map(Double.init)
            let greatest = s.max() ?? 0, sum = s.reduce(0) { $0 + exp($1 - greatest) }
            for c in 0 ..< width {
                let expected = c < seen ? exp(s[c] - greatest) / sum : 0
                #expect(abs(Double(p[row * stride + c]) - expected) < 3e-7, "row \(row), column \(c) of \(width)")
                #expect(p[row * stride + c] == again[row * stride + c])
            }
            // What lies between the rows is not touched.
            #expect(p[row * stride + width ..< (row + 1) * stride] == scores[row * stride + width ..< (row + 1) * stride])
        }
        let dp = KernelTests.random(rows * stride, 6)
        var dots = [Float](repeating: 0, count: rows), ds = dp
        uf_row_dots(p, dp, rows, stride, width, &dots, 1)
        uf_softmax_backward(p, &ds, rows, stride, width, dots, 1, 0.25)
        for row in 0 ..< rows {
            let dot = (0 ..< width).reduce(0.0) { $0 + Double(p[row * stride + $1]) * Double(dp[row * stride + $1]) }
            #expect(abs(Double(dots[row]) - dot) < 1e-6)
            for c in 0 ..< width {
                let place = row * stride + c
                #expect(abs(Double(ds[place]) - Double(p[place]) * (Double(dp[place]) - dot) * 0.25) < 1e-6)
            }
        }
    }

    @Test(arguments: [(rows: 1, columns: 1, depth: 6), (3, 33, 8), (4, 32, 64), (64, 300, 32), (7, 17, 100)])
    func attentionProducts(shape: (rows: Int, columns: Int, depth: Int)) {
        let (rows, columns, depth) = shape, queryStride = depth + 5, across = columns + 40, scoresStride = columns + 32
        let queries = KernelTests.random(rows * queryStride, 1), keys = KernelTests.random(columns * depth, 2)
        var keysAcross = [Float](repeating: 0, count: depth * across + 32)
        uf_transpose(keys, columns, depth, depth, &keysAcross, across)
        var scores = [Float](repeating: .nan, count: rows * scoresStride)
        uf_scores(queries, queryStride, rows, keysAcross, across, columns, depth, 0.3, &scores, scoresStride)
        // In two pieces, and each row alone: the same bits.
        let cut = columns / 3
        var pieces = scores.map { _ in Float.nan }
        uf_scores(queries, queryStride, rows, keysAcross, across, cut, depth, 0.3, &pieces, scoresStride)
        keysAcross.withUnsafeBufferPointer { keys in
            pieces.withUnsafeMutableBufferPointer { pieces in
                for row in 0 ..< rows {
                    Array(queries[(row * queryStride)...]).withUnsafeBufferPointer { query in
                        uf_scores(query.baseAddress!, queryStride, 1, keys.baseAddress! + cut, across, columns - cut, depth, 0.3,
                                  pieces.baseAddress! + row * scoresStride + cut, scoresStride)
                    }
                }
            }
        }
        for row in 0 ..< rows {
            for column in 0 ..< columns {
                let expected = (0 ..< depth).reduce(0.0) { $0 + Double(queries[row * queryStride + $1]) * Double(keys[column * depth + $1]) } * 0.3
                let score = scores[row * scoresStride + column]
                #expect(abs(Double(score) - expected) < 1e-5, "\(shape), \(row), \(column)")
                #expect(score == pieces[row * scoresStride + column], "\(shape), \(row), \(column)")
            }
        }
        let values = KernelTests.random(columns * depth + 16, 3)
        var sums = [Float](repeating: 1, count: rows * depth), halves = sums
        uf_weighted_sums(scores, scoresStride, rows, values, depth, columns, depth, &sums)
        for range in [0 ..< cut, cut ..< columns] {
            uf_weighted_sums(Array(scores[range.lowerBound...]), scoresStride, rows, Array(values[(range.lowerBound * depth)...]), depth, range.count, depth, &halves)
        }
        #expect(sums == halves, "\(shape)")
        for row in 0 ..< rows {
            for i in 0 ..< depth {
                let expected = (0 ..< columns).reduce(1.0) { $0 + Double(scores[row * scoresStride + $1]) * Double(values[$1 * depth + i]) }
                #expect(abs(Double(sums[row * depth + i]) - expected) < 2e-5 * Double(columns).squareRoot() * 3, "\(shape), \(row), \(i)")
            }
        }
    }

    @Test(arguments: widths)
    func logSumExp(width: Int) {
        let rows = 3, stride = width + 1
        var logits = KernelTests.random(rows * stride, 7, in: -50 ... 20)
        // Equal greatest values: the first place counts.
        if width > 3 {
            logits[1] = 25
            logits[3] = 25
        }
        var maxima = [Float](repeating: 0, count: rows), places = [UInt32](repeating: 99, count: rows), sums = [Double](repeating: 0, count: rows)
        uf_log_sum_exp_part(logits, rows, stride, width, &maxima, &places, &sums)
        var p = logits
        uf_scaled_exp_rows(&p, rows, stride, width, maxima, [2, 3, 4])
        for row in 0 ..< rows {
            let x = Array(logits[row * stride ..< row * stride + width]), greatest = x.max() ?? 0
            #expect(maxima[row] == greatest)
            #expect(Int(places[row]) == x.firstIndex(of: greatest))
            let sum = x.reduce(0.0) { $0 + exp(Double($1 - greatest)) }
            #expect(abs(sums[row] - sum) < 3e-7 * sum)
            for c in 0 ..< width {
                let expected = Double(row + 2) * exp(Double(x[c] - greatest))
                #expect(abs(Double(p[row * stride + c]) - expected) < 2e-7 * expected + 1e-37)
            }
        }
    }

    /// e^x over its whole range, by the softmax of two entries.
    @Test func exponential() {
        var worst = 0.0
        for step in 0 ... 200_000 {
            let x = -87.3 * Float(step) / 200_000
            var pair: [Float] = [0, x]
            uf_scaled_exp_rows(&pair, 1, 2, 2, [0], [1])
            #expect(pair[0] == 1)
            worst = max(worst, abs(Double(pair[1]) / exp(Double(x)) - 1))
        }
        #expect(worst < 1.6e-7, "\(worst)")
        var odd: [Float] = [-88, -1000, -.infinity, .nan]
        uf_scaled_exp_rows(&odd, 1, 4, 4, [0], [1])
        #expect(odd[0 ..< 3] == [0, 0, 0])
        #expect(odd[3].isNaN)
    }

    @Test(arguments: widths + [100_003])
    func sums(count: Int) {
        let x = KernelTests.random(count, 3), y = KernelTests.random(count, 4)
        let expected = x.reduce(0.0) { $0 + Double($1) * Double($1) }
        #expect(abs(uf_sum_of_squares(x, count) - expected) < 1e-12 * expected)
        var sum = y
        uf_add(x, count, &sum)
        #expect(sum == zip(x, y).map { $1 + $0 })
        uf_scale(0.3, count, &sum)
        #expect(sum == zip(x, y).map { ($1 + $0) * 0.3 })
        for workers in [2, 3] {
            let pool = WorkerPool(workers: workers), kernels = RowKernels(pool: pool)
            #expect(kernels.sumOfSquares(x, count: count) == RowKernels(pool: WorkerPool(workers: 1)).sumOfSquares(x, count: count))
        }
    }

    @Test func adamW() {
        let count = 133, pool = WorkerPool(workers: 2), rule = AdamW(learningRate: 0.01, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1)
        var p = KernelTests.random(count, 1), m = [Float](repeating: 0, count: count), v = m
        var dp = p.map(Double.init), dm = m.map(Double.init), dv = dm
        for step in 1 ... 5 {
            let g = KernelTests.random(count, UInt64(10 + step))
            // All but the last two: a range is updated, nothing beside it.
            rule.update(parameters: &p, gradients: g, first: &m, second: &v, range: 0 ..< count - 2, step: step, gradientScale: 0.5, pool: pool)
            for i in 0 ..< count - 2 {
                let gradient = Double(g[i]) * 0.5
                dp[i] *= 1 - 0.01 * 0.1
                dm[i] = 0.9 * dm[i] + 0.1 * gradient
                dv[i] = 0.95 * dv[i] + 0.05 * gradient * gradient
                dp[i] -= 0.01 * (dm[i] / (1 - pow(0.9, Double(step)))) / ((dv[i] / (1 - pow(0.95, Double(step)))).squareRoot() + 1e-8)
            }
        }
        KernelTests.expectClose(p, dp, 1e-6, "parameters")
        KernelTests.expectClose(m, dm, 1e-6, "first moments")
        KernelTests.expectClose(v, dv, 1e-6, "second moments")
        #expect(m[count - 1] == 0)
    }
}
