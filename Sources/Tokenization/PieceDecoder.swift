/// How the pieces of ids become text again.
enum PieceDecoder: Sendable, Equatable {
    /// The bytes of the pieces in a row.
    case bytes
    /// SentencePiece: space marks become spaces, `<0xNN>` the byte, and up to `strippedSpaces` spaces at the start go.
    case sentencePiece(mark: [UInt8], strippedSpaces: Int)
    /// No decoder: pieces with a space between.
    case joined
}
