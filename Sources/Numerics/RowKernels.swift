import CNumerics

/// The kernels that work on rows, their rows split over a pool in fixed tiles. Shapes and formulas: CNumerics.h.
public struct RowKernels: Sendable {
    public var pool: WorkerPool
    static let tileRows = 32
    static let tileElements = 1 << 16

    public init(pool: WorkerPool) { self.pool = pool }

    /// y [rows][width] = RMSNorm(x) * weight; inverseRMS [rows].
    public func rmsNorm(_ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, rows: Int, width: Int, epsilon: Double,
                        into y: UnsafeMutablePointer<Float>, inverseRMS: UnsafeMutablePointer<Float>) {
        pool.run(count: rows, by: RowKernels.tileRows) { range, _ in
            uf_rms_norm(x + range.lowerBound * width, weight, range.count, width, epsilon, y + range.lowerBound * width, inverseRMS + range.lowerBound)
        }
    }

    /// The same y from stored inverseRMS.
    public func rmsNormAgain(_ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, inverseRMS: UnsafePointer<Float>, rows: Int, width: Int,
                             into y: UnsafeMutablePointer<Float>) {
        pool.run(count: rows, by: RowKernels.tileRows) { range, _ in
            uf_rms_norm_again(x + range.lowerBound * width, weight, inverseRMS + range.lowerBound, range.count, width, y + range.lowerBound * width)
        }
    }

    /// dx += gradient of x; dweight += gradient of the weight, when asked for.
    public func rmsNormBackward(_ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, inverseRMS: UnsafePointer<Float>,
                                rows: Int, width: Int, addingTo dx: UnsafeMutablePointer<Float>, weightGradient: UnsafeMutablePointer<Float>?) {
        pool.run(count: rows, by: RowKernels.tileRows) { range, _ in
            let first = range.lowerBound * width
            uf_rms_norm_backward(dy + first, x + first, weight, inverseRMS + range.lowerBound, range.count, width, dx + first)
        }
        guard let weightGradient else { return }
        pool.run(count: width, by: 64) { columns, _ in
            uf_rms_norm_weight_gradient(dy, x, inverseRMS, rows, width, columns.lowerBound, columns.upperBound, weightGradient)
        }
    }

    /// Rotates the heads of x [rows][heads * 2 * half] by the angles of each row; direction -1 is the way back.
    public func rotate(_ x: UnsafeMutablePointer<Float>, rows: Int, heads: Int, half: Int, cosines: UnsafePointer<Float>, sines: UnsafePointer<Float>,
                       direction: Float) {
        pool.run(count: rows, by: RowKernels.tileRows) { range, _ in
            uf_rotate_halves(x + range.lowerBound * heads * 2 * half, range.count, heads, half, cosines + range.lowerBound * half,
                             sines + range.lowerBound * half, direction)
        }
    }

    /// y [width][stride] = x [rows][width], transposed.
    public func transpose(_ x: UnsafePointer<Float>, rows: Int, width: Int, into y: UnsafeMutablePointer<Float>, stride: Int) {
        pool.run(count: rows, by: 64) { range, _ in uf_transpose(x + range.lowerBound * width, range.count, width, width, y + range.lowerBound, stride) }
    }

    /// y = silu(gate) * up.
    public func siluTimes(gate: UnsafePointer<Float>, up: UnsafePointer<Float>, count: Int, into y: UnsafeMutablePointer<Float>) {
        pool.run(count: count, by: RowKernels.tileElements) { range, _ in
            let first = range.lowerBound
            uf_silu_times(gate + first, up + first, range.count, y + first)
        }
    }

    public func siluTimesBackward(_ dy: UnsafePointer<Float>, gate: UnsafePointer<Float>, up: UnsafePointer<Float>, count: Int,
                                  gateGradient: UnsafeMutablePointer<Float>, upGradient: UnsafeMutablePointer<Float>) {
        pool.run(count: count, by: RowKernels.tileElements) { range, _ in
            let first = range.lowerBound
            uf_silu_times_backward(dy + first, gate + first, up + first, range.count, gateGradient + first, upGradient + first)
        }
    }

    /// y += x.
    public func add(_ x: UnsafePointer<Float>, count: Int, to y: UnsafeMutablePointer<Float>) {
        pool.run(count: count, by: RowKernels.tileElements) { range, _ in uf_add(x + range.lowerBound, range.count, y + range.lowerBound) }
    }

    /// y *= factor.
    public func scale(_ y: UnsafeMutablePointer<Float>, by factor: Float, count: Int) {
        pool.run(count: count, by: RowKernels.tileElements) { range, _ in uf_scale(factor, range.count, y + range.lowerBound) }
    }

    /// y = x.
    public func copy(_ x: UnsafePointer<Float>, count: Int, to y: UnsafeMutablePointer<Float>) {
        pool.run(count: count, by: RowKernels.tileElements) { range, _ in
            (y + range.lowerBound).update(from: x + range.lowerBound, count: range.count)
        }
    }

    /// The sum of squares in double: a fixed sum over fixed pieces, the same for any number of workers and on any CPU.
    public func sumOfSquares(_ x: UnsafePointer<Float>, count: Int) -> Double {
        let tiles = (count + RowKernels.tileElements - 1) / RowKernels.tileElements
        let sums = UnsafeMutablePointer<Double>.allocate(capacity: max(1, tiles))
        defer { sums.deallocate() }
        pool.run(tiles: tiles) { tile, _ in
            let first = tile * RowKernels.tileElements
            sums[tile] = uf_sum_of_squares(x + first, min(RowKernels.tileElements, count - first))
        }
        var sum = 0.0
        for tile in 0 ..< tiles { sum += sums[tile] }
        return sum
    }
}
