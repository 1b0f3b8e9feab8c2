import CTokenization

/// Cuts text into pieces by classes of 64 bytes at a time and looks the pieces up in the cache, window by window: the fast way to what the scanners of
/// `PiecePattern` do character by character. One a thread.
final class PieceCutter {
    private let window: Int
    private let classes: UnsafeMutablePointer<UInt64>
    private let output: UnsafeMutablePointer<UInt32>
    private var state = uf_cutter()

    /// - Parameter window: bytes that are classified at once; their classes and ids should stay in the processor's first cache.
    init(window: Int = 1 << 14) {
        self.window = window
        let words = (window + 63) / 64 + 2
        classes = .allocate(capacity: Int(UF_CLASS_ARRAYS) * words)
        output = .allocate(capacity: window + Int(UF_MOST_CACHED_IDS))
        let arrays = (0 ..< Int(UF_CLASS_ARRAYS)).map { classes + $0 * words }
        state.classes = uf_classes(
            letters: arrays[0], numbers: arrays[1], spaces: arrays[2], others: arrays[3], inner: arrays[4], blanks: arrays[5], line_ends: arrays[6], apostrophes: arrays[7],
            starts: arrays[8])
        state.ids = output
    }

    deinit {
        classes.deallocate()
        output.deallocate()
    }

    /// Appends the ids of a text (valid UTF-8).
    ///
    /// - Parameters:
    ///   - merge: leaves the ids of the piece of so many bytes at a position in memory of its own, and says where and how many; asked for pieces that the cache does not have.
    ///   - longEnd: the end of the piece at a position by the plain scanner: asked for pieces that are as long as a window.
    func cut(
        _ text: UnsafePointer<UInt8>, _ count: Int, _ pattern: uf_pattern, _ cache: PieceCache, into ids: inout [UInt32],
        merge: (Int, Int) -> UnsafeBufferPointer<UInt32>, longEnd: (Int) -> Int
    ) {
        let number = (pattern == UF_GPT2_ISOLATING ? CharacterClass.digit : .number).rawValue
        var start = 0
        while start < count {
            var size = min(window, count - start)
            let endsText = start + size == count
            if !endsText { size = UTF8Text.previous(text, start + size + 1) - start }
            cache.grow()
            (state.cache, state.cache_mask) = (cache.entries, cache.mask)
            (state.text, state.count, state.ends_text, state.readable) = (text + start, size, endsText ? 1 : 0, count - start)
            uf_begin(&state, pattern, CharacterClasses.table.base, number)
            while uf_cut(&state) != 0 {
                let piece = merge(start + state.position, state.piece_end - state.position)
                if let base = piece.baseAddress { (output + state.id_count).update(from: base, count: piece.count) }
                state.id_count += piece.count
                state.position = state.piece_end
            }
            ids.append(contentsOf: UnsafeBufferPointer(start: output, count: state.id_count))
            if state.position == 0 {
                let end = longEnd(start)
                ids.append(contentsOf: merge(start, end - start))
                start = end
            } else {
                start += state.position
            }
        }
    }
}
