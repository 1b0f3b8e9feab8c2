import CNumerics

/// Products whose rows do not know of each other: a row's bits are the same however many rows stand beside it, and wherever it stands among them.
///
/// A BLAS promises nothing of the kind. Its kernels take blocks of rows, and sum in another order in the remainders and, with AVX2, even in the two halves of a
/// block. Below, each set of kernels is asked only for what it sums in one order (measured with OpenBLAS 0.3.21; `rowsAreIndependent` measures again).
extension BLAS {
    /// Y = X W^T + beta Y on this thread, with X [m][k], W [n][k], Y [m][n].
    public static func multiplyRows(_ m: Int, _ n: Int, _ k: Int, _ x: UnsafePointer<Float>, stride strideX: Int, weights w: UnsafePointer<Float>,
                                    stride strideW: Int, beta: Float = 0, into y: UnsafeMutablePointer<Float>, stride strideY: Int) {
        if !usesWideKernels {
            for row in stride(from: 0, to: m, by: greatestBand) {
                multiplyBetweenMargins(min(greatestBand, m - row), n, k, x + row * strideX, stride: strideX, weights: w, stride: strideW, beta: beta,
                                       into: y + row * strideY, stride: strideY)
            }
        } else if m * n * k > smallProduct {
            multiply(m, n, k, Factor(x, stride: strideX), Factor(w, stride: strideW, transposed: true), beta: beta, into: y, stride: strideY)
        } else {
            multiplyAmongZeros(m, n, k, x, stride: strideX, weights: w, stride: strideW, beta: beta, into: y, stride: strideY)
        }
    }

    /// AVX-512 kernels sum over k in one order for every row of a product that is not small.
    private static let usesWideKernels = isGood(kernelName, for: uf_cpu_avx512)

    /// The wide kernels give way to others, with other sums, for products of this many multiplications and fewer.
    private static let smallProduct = 100 * 100 * 100

    /// A small product made larger by rows of zeros.
    private static func multiplyAmongZeros(_ m: Int, _ n: Int, _ k: Int, _ x: UnsafePointer<Float>, stride strideX: Int, weights w: UnsafePointer<Float>,
                                           stride strideW: Int, beta: Float, into y: UnsafeMutablePointer<Float>, stride strideY: Int) {
        let rows = smallProduct / (n * k) + 1
        withUnsafeTemporaryAllocation(of: Float.self, capacity: rows * (k + n)) { scratch in
            guard let padded = scratch.baseAddress else { return }
            let result = padded + rows * k
            scratch.initialize(repeating: 0)
            for row in 0 ..< m {
                (padded + row * k).update(from: x + row * strideX, count: k)
                if beta != 0 { (result + row * n).update(from: y + row * strideY, count: n) }
            }
            multiply(rows, n, k, Factor(padded, stride: k), Factor(w, stride: strideW, transposed: true), beta: beta, into: result, stride: n)
            for row in 0 ..< m { (y + row * strideY).update(from: result + row * n, count: n) }
        }
    }

    /// Rows of zeros before and after, and the unit that the kernels take rows of X in.
    private static let margin = 8
    /// Rows at once: with their margins they stay within one block of the kernels (320).
    private static let greatestBand = 256

    /// Y^T = W X^T, and turned: with X on this side the vector lanes are its rows, each an order of its own, the same for all but the first and the last eight.
    private static func multiplyBetweenMargins(_ m: Int, _ n: Int, _ k: Int, _ x: UnsafePointer<Float>, stride strideX: Int, weights w: UnsafePointer<Float>,
                                               stride strideW: Int, beta: Float, into y: UnsafeMutablePointer<Float>, stride strideY: Int) {
        let rows = 2 * margin + (m + margin - 1) / margin * margin
        withUnsafeTemporaryAllocation(of: Float.self, capacity: rows * (k + n)) { scratch in
            guard let padded = scratch.baseAddress else { return }
            let result = padded + rows * k
            padded.initialize(repeating: 0, count: margin * k)
            for row in 0 ..< m { (padded + (margin + row) * k).initialize(from: x + row * strideX, count: k) }
            (padded + (margin + m) * k).initialize(repeating: 0, count: (rows - margin - m) * k)
            multiply(n, rows, k, Factor(w, stride: strideW), Factor(padded, stride: k, transposed: true), into: result, stride: rows)
            if beta == 0 {
                uf_transpose(result + margin, n, m, rows, y, strideY)
            } else {
                uf_transpose_add(result + margin, n, m, rows, beta, y, strideY)
            }
        }
    }

    /// Whether `multiplyRows` keeps its promise with the kernels in use: measured once, on a few shapes.
    public static let rowsAreIndependent: Bool = {
        for (n, k) in [(64, 64), (172, 64), (96, 172), (288, 576)] {
            let most = 250, one = (0 ..< k).map { Float(($0 * 7919) % 1021) / 1021 - 0.5 }, x = (0 ..< most).flatMap { _ in one }
            let w = (0 ..< n * k).map { Float(($0 * 104_729) % 8191) / 8191 - 0.5 }
            var expected: [Float]?
            for m in [most, 1, 5, 8, 13, 64, 131] {
                var y = [Float](repeating: 0, count: m * n)
                multiplyRows(m, n, k, x, stride: k, weights: w, stride: k, into: &y, stride: n)
                let row = expected ?? Array(y[0 ..< n])
                expected = row
                for first in stride(from: 0, to: m * n, by: n) where !y[first ..< first + n].elementsEqual(row) { return false }
            }
        }
        return true
    }()
}
