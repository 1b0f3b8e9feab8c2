import CNumerics

/// Large matrix products, cut into tiles of C by shape alone: one single-threaded BLAS call a tile, the whole inner dimension in each.
/// So the result is the same bits for any number of workers.
public struct MatrixProduct: Sendable {
    public var pool: WorkerPool

    /// The greatest tile of C. Large enough for BLAS to reach its full rate, small enough that few workers share the work evenly.
    static let tileRows = 256, tileColumns = 384

    public init(pool: WorkerPool) {
        self.pool = pool
        _ = BLAS.choice
    }

    /// C = A B + beta C, row-major and without gaps: A is [m][k] (stored [k][m] when transposed), B is [k][n] (stored [n][k] when transposed), C is [m][n].
    public func multiply(_ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Float>, transposeA: Bool = false,
                         times b: UnsafePointer<Float>, transposeB: Bool = false, beta: Float = 0, into c: UnsafeMutablePointer<Float>) {
        guard m > 0, n > 0, k > 0 else { return }
        let rows = Tiling(m, atMost: MatrixProduct.tileRows), columns = Tiling(n, atMost: MatrixProduct.tileColumns)
        let strideA = transposeA ? m : k, strideB = transposeB ? k : n
        pool.run(tiles: rows.count * columns.count) { tile, _ in
            let row = rows[tile / columns.count], column = columns[tile % columns.count]
            BLAS.multiply(row.count, column.count, k,
                          BLAS.Factor(a + (transposeA ? row.lowerBound : row.lowerBound * strideA), stride: strideA, transposed: transposeA),
                          BLAS.Factor(b + (transposeB ? column.lowerBound * strideB : column.lowerBound), stride: strideB, transposed: transposeB),
                          beta: beta, into: c + row.lowerBound * n + column.lowerBound, stride: n)
        }
    }
}

extension MatrixProduct {
    /// Y = X W^T + beta Y with X [rows][inputs], W [outputs][inputs], Y [rows][outputs]; rows are independent of each other as `BLAS.multiplyRows` says.
    public func project(_ rows: Int, _ outputs: Int, _ inputs: Int, _ x: UnsafePointer<Float>, weights w: UnsafePointer<Float>, beta: Float = 0,
                        into y: UnsafeMutablePointer<Float>) {
        guard inputs > 0 else { return }
        forEachTile(rows, outputs) { row, column in
            BLAS.multiplyRows(row.count, column.count, inputs, x + row.lowerBound * inputs, stride: inputs, weights: w + column.lowerBound * inputs,
                              stride: inputs, beta: beta, into: y + row.lowerBound * outputs + column.lowerBound, stride: outputs)
        }
    }

    /// Calls `body` on the pool for every tile of a matrix [rows][columns], cut by its shape alone.
    public func forEachTile(_ rows: Int, _ columns: Int, _ body: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void) {
        guard rows > 0, columns > 0 else { return }
        let rowTiles = Tiling(rows, atMost: MatrixProduct.tileRows), columnTiles = Tiling(columns, atMost: MatrixProduct.tileColumns)
        pool.run(tiles: rowTiles.count * columnTiles.count) { tile, _ in body(rowTiles[tile / columnTiles.count], columnTiles[tile % columnTiles.count]) }
    }
}

/// 0 ..< count as nearly equal parts, each a multiple of 16 but for the last.
public struct Tiling: Sendable {
    public let count: Int
    let total: Int, length: Int

    public init(_ total: Int, atMost limit: Int) {
        let parts = (total + limit - 1) / limit
        let equal = parts == 0 ? 0 : (total + parts - 1) / parts
        length = max(16, (equal + 15) / 16 * 16)
        self.total = total
        count = (total + length - 1) / length
    }

    public subscript(_ index: Int) -> Range<Int> { index * length ..< min(total, (index + 1) * length) }
}
