/// The Metaspace pre-tokenizer: spaces become marks, and a mark is put in front of text that has none. Where the Prepend and Replace normalizers
/// do the same, they do it before added tokens are looked for in normalised text; this comes after.
struct SpaceMarking: Sendable, Equatable {
    enum Scheme: Sendable {
        /// Before the text only.
        case first
        /// Before every stretch between added tokens.
        case always
        case never
    }

    var mark: [UInt8]
    var scheme: Scheme
    /// Every mark starts a piece; without, a stretch is one piece.
    var cutsAtMarks: Bool

    /// The stretch with its marks. `isFirst`: it stands at the start of the text; `leadingMark`: it does not continue other text.
    func marked(_ text: UnsafeBufferPointer<UInt8>, isFirst: Bool, leadingMark: Bool) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count + text.count / 2 + mark.count)
        let wantsMark = switch scheme {
        case .first: isFirst && leadingMark
        case .always: leadingMark || !isFirst
        case .never: false
        }
        if wantsMark, text.first != UInt8(ascii: " "), !text.starts(with: mark) { result += mark }
        for byte in text {
            if byte == UInt8(ascii: " ") { result += mark } else { result.append(byte) }
        }
        return result
    }
}
