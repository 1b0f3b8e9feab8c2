import CNumerics
import Glibc

/// Plain threads that run the tiles of one job after another.
///
/// Results never depend on the number of workers: a job is cut into tiles by its shape alone, every tile writes its own place, and which worker runs
/// a tile is open. One job runs at a time; a pool is used from one thread.
public final class WorkerPool: @unchecked Sendable {
    public let workers: Int
    private let pool: OpaquePointer

    /// - Parameter workers: the caller included; 0 means one for every CPU this process may use.
    public init(workers requested: Int = 0) {
        let wanted = requested > 0 ? min(requested, 1024) : WorkerPool.availableProcessors
        // A machine that starts no more threads still computes, on the caller's.
        if let pool = uf_worker_pool_create(wanted) {
            self.pool = pool
            workers = wanted
        } else if let pool = uf_worker_pool_create(1) {
            self.pool = pool
            workers = 1
        } else {
            preconditionFailure("out of memory for a few hundred bytes")
        }
    }

    deinit { uf_worker_pool_destroy(pool) }

    public static var availableProcessors: Int { uf_available_processors() }

    /// Calls `body(tile, worker)` once for each tile in 0 ..< tiles; worker is in 0 ..< workers and names scratch memory that no other call uses meanwhile.
    public func run(tiles: Int, _ body: (_ tile: Int, _ worker: Int) -> Void) {
        guard tiles > 0 else { return }
        withoutActuallyEscaping(body) { body in
            withUnsafePointer(to: body) { pointer in
                uf_worker_pool_run(pool, tiles, { context, tile, worker in
                    context?.assumingMemoryBound(to: ((Int, Int) -> Void).self).pointee(tile, worker)
                }, UnsafeMutableRawPointer(mutating: pointer))
            }
        }
    }

    /// Splits 0 ..< count into ranges of `length` (the last may be shorter) and calls `body(range, worker)` for each.
    public func run(count: Int, by length: Int, _ body: (_ range: Range<Int>, _ worker: Int) -> Void) {
        run(tiles: (count + length - 1) / length) { tile, worker in
            body(tile * length ..< min(count, (tile + 1) * length), worker)
        }
    }
}
