import Testing
import TestSupport
@testable import Numerics

struct MatrixProductTests {
    /// Shapes of one tile and of several, with remainders.
    static let shapes = [(1, 1, 1), (3, 5, 7), (64, 64, 64), (257, 400, 33), (600, 17, 50), (300, 800, 64)]

    @Test(arguments: shapes, [(false, false), (false, true), (true, false), (true, true)])
    func equalsPlainSums(shape: (Int, Int, Int), transposed: (Bool, Bool)) {
        let (m, n, k) = shape
        let a = KernelTests.random(m * k, 1), b = KernelTests.random(k * n, 2), start = KernelTests.random(m * n, 3)
        for beta in [Float(0), 1] {
            var first: [Float]?
            for workers in [1, 2, 3] {
                var c = start
                if beta == 0 { c = c.map { _ in .nan } }
                MatrixProduct(pool: WorkerPool(workers: workers)).multiply(m, n, k, a, transposeA: transposed.0, times: b, transposeB: transposed.1, beta: beta, into: &c)
                if let first {
                    #expect(c == first, "\(shape), \(workers) workers")
                } else {
                    first = c
                    var generator = SeededGenerator(seed: 4)
                    for check in 0 ..< 300 {
                        let i = check == 0 ? m - 1 : Int.random(in: 0 ..< m, using: &generator), j = check == 0 ? n - 1 : Int.random(in: 0 ..< n, using: &generator)
                        var sum = beta == 0 ? 0 : Double(start[i * n + j])
                        for l in 0 ..< k { sum += Double(a[transposed.0 ? l * m + i : i * k + l]) * Double(b[transposed.1 ? j * k + l : l * n + j]) }
                        #expect(abs(Double(c[i * n + j]) - sum) < 2e-6 * Double(k), "\(shape) \(transposed) [\(i)][\(j)]")
                    }
                }
            }
        }
    }

    /// X W^T by its own way through BLAS, bands and remainders included, against plain sums.
    @Test(arguments: shapes + [(9, 40, 3), (250, 96, 172), (513, 70, 129)])
    func projectionEqualsPlainSums(shape: (Int, Int, Int)) {
        let (m, n, k) = shape
        let x = KernelTests.random(m * k, 1), w = KernelTests.random(n * k, 2), start = KernelTests.random(m * n, 3)
        for beta in [Float(0), 1, -0.5] {
            var first: [Float]?
            for workers in [1, 3] {
                var y = beta == 0 ? start.map { _ in .nan } : start
                MatrixProduct(pool: WorkerPool(workers: workers)).project(m, n, k, x, weights: w, beta: beta, into: &y)
                #expect(first == nil || y == first, "\(shape), \(workers) workers")
                first = y
                for i in 0 ..< m {
                    for j in stride(from: i % 3, to: n, by: 3) {
                        var sum = beta == 0 ? 0 : Double(beta) * Double(start[i * n + j])
                        for l in 0 ..< k { sum += Double(x[i * k + l]) * Double(w[j * k + l]) }
                        if abs(Double(y[i * n + j]) - sum) >= 2e-6 * Double(k) { Issue.record("\(shape) [\(i)][\(j)]: \(y[i * n + j]), expected \(sum)") }
                    }
                }
            }
        }
    }

    /// The same row alone, among others and at another place: the same bits.
    @Test func projectedRowsDoNotKnowOfEachOther() {
        let n = 200, k = 96, x = KernelTests.random(300 * k, 1), w = KernelTests.random(n * k, 2), product = MatrixProduct(pool: WorkerPool(workers: 2))
        func project(_ rows: Range<Int>) -> [Float] {
            var y = [Float](repeating: 0, count: rows.count * n)
            x.withUnsafeBufferPointer { product.project(rows.count, n, k, $0.baseAddress! + rows.lowerBound * k, weights: w, into: &y) }
            return y
        }
        let all = project(0 ..< 300)
        #expect(BLAS.rowsAreIndependent)
        for rows in [0 ..< 1, 17 ..< 18, 3 ..< 20, 40 ..< 140, 1 ..< 300, 255 ..< 258] {
            #expect(project(rows) == Array(all[rows.lowerBound * n ..< rows.upperBound * n]), "\(rows)")
        }
    }

    @Test func tilesCoverEverythingOnce() {
        for total in [1, 15, 16, 17, 255, 256, 257, 576, 1200, 49152] {
            for limit in [16, 64, 256, 384] {
                let tiling = Tiling(total, atMost: limit)
                #expect((0 ..< tiling.count).flatMap { Array(tiling[$0]) } == Array(0 ..< total), "\(total) by \(limit)")
                #expect((0 ..< tiling.count).allSatisfy { tiling[$0].count <= limit && !tiling[$0].isEmpty })
            }
        }
        #expect(Tiling(0, atMost: 16).count == 0)
    }

    @Test func poolRunsEveryTileOnce() {
        for workers in [1, 2, 5] {
            let pool = WorkerPool(workers: workers)
            for tiles in [0, 1, 2, 7, 1000] {
                let counts = UnsafeMutablePointer<Int>.allocate(capacity: tiles + 1)
                counts.update(repeating: 0, count: tiles + 1)
                defer { counts.deallocate() }
                for _ in 0 ..< 50 {
                    pool.run(tiles: tiles) { tile, worker in
                        precondition(worker < workers)
                        counts[tile] += 1
                    }
                }
                #expect((0 ..< tiles).allSatisfy { counts[$0] == 50 }, "\(workers) workers, \(tiles) tiles")
            }
        }
        #expect(WorkerPool(workers: 0).workers == WorkerPool.availableProcessors)
    }

    @Test func buffersAreZeroAndRefuseTheImpossible() throws {
        for count in [0, 1, 1000, 3 << 20] {
            let buffer = try FloatBuffer(count: count)
            #expect(buffer.all.allSatisfy { $0 == 0 })
            buffer.all.update(repeating: 3)
            buffer.clear()
            #expect(buffer.all.allSatisfy { $0 == 0 })
        }
        #expect(throws: FloatBuffer.OutOfMemory.self) { _ = try FloatBuffer(count: 1 << 50) }
        #expect(throws: FloatBuffer.OutOfMemory.self) { _ = try FloatBuffer(count: 1 << 46) }
        #expect(throws: FloatBuffer.OutOfMemory.self) { _ = try FloatBuffer(count: -1) }
    }
}
