import CTokenization

/// Cuts text into pieces by classes of 64 bytes at a time and looks the pieces up in the cache, window by window: the fast way to what the scanners of
/// `PiecePattern` do character by character. One a thread.
final class PieceCutter {
    private let window: Int
    private let classes: UnsafeMutablePointer<UInt64>
    private let output: UnsafeMutablePointer<UInt32>
    /// Behind a pointer, whose fields can be reached without a check for other uses at every step.
    private let cutter: UnsafeMutablePointer<uf_cutter>

    /// - Parameter window: bytes that are classified at once; their classes and ids should stay in the processor's first cache.
    init(window: Int = 1 << 14) {
        self.window = window
        let words = (window + 63) / 64 + 2
        classes = .allocate(capacity: Int(UF_CLASS_ARRAYS) * words)
        cutter = .allocate(capacity: 1)
        cutter.initialize(to: uf_cutter())
        output = .allocate(capacity: window + Int(UF_MORE_IDS))
        let arrays = (0 ..< Int(UF_CLASS_ARRAYS)).map { [classes] in classes + $0 * words }
        cutter.pointee.classes = uf_classes(
            letters: arrays[0], numbers: arrays[1], spaces: arrays[2], others: arrays[3], inner: arrays[4], blanks: arrays[5], line_ends: arrays[6], apostrophes: arrays[7],
            starts: arrays[8])
        cutter.pointee.ids = output
    }

    deinit {
        classes.deallocate()
        output.deallocate()
        cutter.deallocate()
    }

    /// Appends the ids of a text (valid UTF-8).
    ///
    /// - Parameters:
    ///   - speller: merges new short pieces.
    ///   - merge: leaves the ids of the piece of so many bytes at a position in memory of its own, and says where and how many; asked for other pieces that the cache does not have.
    ///   - longEnd: the end of the piece at a position by the plain scanner: asked for pieces that are as long as a window.
    func cut(
        _ text: UnsafePointer<UInt8>, _ count: Int, _ pattern: uf_pattern, _ cache: PieceCache, speller: UnsafeMutablePointer<uf_speller>? = nil, into ids: inout [UInt32],
        merge: (Int, Int) -> UnsafeBufferPointer<UInt32>, longEnd: (Int) -> Int
    ) {
        let number = (pattern == UF_GPT2_ISOLATING ? CharacterClass.digit : .number).rawValue
        var start = 0
        while start < count {
            var size = min(window, count - start)
            let endsText = start + size == count
            if !endsText { size = UTF8Text.previous(text, start + size + 1) - start }
            cache.makeRoom()
            (cutter.pointee.cache, cutter.pointee.speller) = (cache.state, speller)
            (cutter.pointee.text, cutter.pointee.count, cutter.pointee.ends_text, cutter.pointee.readable) = (text + start, size, endsText ? 1 : 0, count - start)
            uf_begin(cutter, pattern, CharacterClasses.table.base, number)
            while uf_cut(cutter) != 0 {
                let piece = merge(start + cutter.pointee.position, cutter.pointee.piece_end - cutter.pointee.position)
                if let base = piece.baseAddress { (output + cutter.pointee.id_count).update(from: base, count: piece.count) }
                cutter.pointee.id_count += piece.count
                cutter.pointee.position = cutter.pointee.piece_end
            }
            ids.append(contentsOf: UnsafeBufferPointer(start: output, count: cutter.pointee.id_count))
            if cutter.pointee.position == 0 {
                let end = longEnd(start)
                ids.append(contentsOf: merge(start, end - start))
                start = end
            } else {
                start += cutter.pointee.position
            }
        }
    }
}
