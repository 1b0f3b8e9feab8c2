/// Cuts before every space mark "▁" that does not follow another: exact for vocabularies in which no merge joins the two sides (see
/// `SymbolRules.cutsBeforeMark`), and what makes their text cacheable word by word.
struct SpaceMarkScanner: PieceScanner {
    /// Before every mark, also after another one: what Metaspace with `split` asks for.
    var cutsEveryMark = false

    @inline(__always)
    func pieceEnd(_ text: UnsafePointer<UInt8>, _ position: Int, _ end: Int) -> Int {
        var position = position
        if cutsEveryMark, isMark(text, position, end) { position &+= 3 }
        while !cutsEveryMark, isMark(text, position, end) { position &+= 3 }
        while position < end, !isMark(text, position, end) { position &+= 1 }
        return position
    }

    /// U+2581
    @inline(__always)
    private func isMark(_ text: UnsafePointer<UInt8>, _ position: Int, _ end: Int) -> Bool {
        position &+ 2 < end && text[position] == 0xE2 && text[position &+ 1] == 0x96 && text[position &+ 2] == 0x81
    }
}
