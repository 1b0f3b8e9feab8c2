import CTokenization
import Synchronization

/// The short pieces that the threads of one run have learnt: each tells the others, so that a new piece is merged about once and not once on every thread.
///
/// What is told are results of merging, so it changes no id, whichever thread comes first.
final class LearntPieces: Sendable {
    private struct Piece {
        var low: UInt64, high: UInt64
        /// Where the ids stand.
        var first: Int
        var count: Int
    }

    private struct Told {
        var pieces: [Piece] = []
        var ids: [UInt32] = []
    }

    private let told = Mutex(Told())
    /// What comes early comes often: of later pieces nobody is told.
    private let most: Int

    init(most: Int = 1 << 16) { self.most = most }

    /// Tells what a cache has learnt since the last time, and enters what other caches have.
    ///
    /// - Parameter known: how much of it this cache has seen.
    func exchange(with cache: PieceCache, known: inout Int) {
        told.withLock { told in
            for number in known ..< told.pieces.count {
                if number % 256 == 0 { cache.makeRoom() }
                let piece = told.pieces[number]
                told.ids.withUnsafeBufferPointer { cache.take(piece.low, piece.high, UnsafeBufferPointer(rebasing: $0[piece.first ..< piece.first + piece.count])) }
            }
            cache.eachLearnt { low, high, ids in
                guard told.pieces.count < most else { return }
                told.pieces.append(Piece(low: low, high: high, first: told.ids.count, count: ids.count))
                told.ids.append(contentsOf: ids)
            }
            known = told.pieces.count
        }
    }
}
