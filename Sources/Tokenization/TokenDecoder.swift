import SystemIO

/// Turns ids into text one by one: what `push` and at last `finish` give, put together, is the text of all ids as Hugging Face's tokenizers give it, and no
/// byte of it is ever taken back. What is not UTF-8 becomes U+FFFD. Byte-level vocabularies repair the whole (one U+FFFD for each cut-off start of a character
/// or stray byte), so the start of a character is held back until it is known how it goes on; byte fallback repairs each run of byte tokens (one for every byte
/// of a run that is not valid), so the run is held back until it ends.
public struct TokenDecoder {
    private let tokenizer: Tokenizer
    private let skipsSpecial: Bool
    /// Bytes that what follows decides about.
    private var held: [UInt8] = []
    private var isFirst = true
    /// Spaces that go where they stand at the start of the text.
    private var strippedSpaces = 0

    public init(_ tokenizer: Tokenizer, skippingSpecial: Bool = false) {
        self.tokenizer = tokenizer
        skipsSpecial = skippingSpecial
        if case .sentencePiece(_, let spaces) = tokenizer.decoder { strippedSpaces = spaces }
    }

    /// The UTF-8 text that is certain now that this id follows.
    /// - Throws: `InputError` for an id that is not in the vocabulary.
    public mutating func push(_ id: UInt32) throws(InputError) -> [UInt8] {
        var text: [UInt8] = []
        try push(id, into: &text)
        return text
    }

    /// What is left when no id follows.
    public mutating func finish() -> [UInt8] {
        var text: [UInt8] = []
        finish(into: &text)
        return text
    }

    mutating func push(_ id: UInt32, into text: inout [UInt8]) throws(InputError) {
        guard id < tokenizer.pieces.count else {
            throw InputError("token id \(id) is not in the vocabulary of \(tokenizer.pieces.count); is this the tokenizer that the ids were made with?")
        }
        if skipsSpecial, tokenizer.specialIDs.contains(id) { return }
        let piece = tokenizer.pieces[Int(id)]
        switch tokenizer.decoder {
        case .bytes:
            if held.isEmpty, UTF8Text.validPrefix(piece) == piece.count {
                text.append(contentsOf: piece)
            } else {
                held.append(contentsOf: piece)
                held.removeFirst(held.withUnsafeBufferPointer { Self.repair($0, endsText: false, into: &text) })
            }
        case .joined:
            if !isFirst { text.append(UInt8(ascii: " ")) }
            text.append(contentsOf: piece)
        case .sentencePiece(let mark, _):
            if let byte = Self.byteToken(piece) {
                held.append(byte)
            } else {
                endRun(into: &text)
                append(Self.replacing(mark, in: piece), to: &text)
            }
        }
        isFirst = false
    }

    mutating func finish(into text: inout [UInt8]) {
        switch tokenizer.decoder {
        case .bytes: _ = held.withUnsafeBufferPointer { Self.repair($0, endsText: true, into: &text) }
        case .joined: break
        case .sentencePiece: endRun(into: &text)
        }
        held.removeAll()
    }

    /// Appends the bytes with U+FFFD for what is not UTF-8, and returns how many are done with: where more may follow, the start of a character at the end is
    /// not.
    private static func repair(_ bytes: UnsafeBufferPointer<UInt8>, endsText: Bool, into text: inout [UInt8]) -> Int {
        var position = 0
        while position < bytes.count {
            let rest = UnsafeBufferPointer(rebasing: bytes[position...]), valid = UTF8Text.validPrefix(rest)
            text.append(contentsOf: rest[..<valid])
            position += valid
            guard position < bytes.count else { break }
            let (count, goesOn) = UTF8Text.brokenCharacter(bytes, position)
            if goesOn, !endsText { break }
            text.append(contentsOf: UTF8Text.replacement)
            position += count
        }
        return position
    }

    /// A run of byte tokens is over.
    private mutating func endRun(into text: inout [UInt8]) {
        guard !held.isEmpty else { return }
        let isValid = held.withUnsafeBufferPointer { UTF8Text.validPrefix($0) == held.count }
        append(isValid ? held : Array(repeatElement(UTF8Text.replacement, count: held.count).joined()), to: &text)
        held.removeAll(keepingCapacity: true)
    }

    /// Appends what is not to be stripped.
    private mutating func append(_ bytes: [UInt8], to text: inout [UInt8]) {
        let spaces = bytes.prefix(strippedSpaces).prefix { $0 == UInt8(ascii: " ") }.count
        text.append(contentsOf: bytes.dropFirst(spaces))
        strippedSpaces = spaces == bytes.count ? strippedSpaces - spaces : 0
    }

    /// The byte of a piece spelled `<0xNN>`.
    fileprivate static func byteToken(_ piece: UnsafeBufferPointer<UInt8>) -> UInt8? {
        guard piece.count == 6, piece[0] == UInt8(ascii: "<"), piece[1] == UInt8(ascii: "0"), piece[2] == UInt8(ascii: "x"), piece[5] == UInt8(ascii: ">"),
              let high = hexadecimalDigit(piece[3]), let low = hexadecimalDigit(piece[4]) else { return nil }
        return high << 4 | low
    }

    private static func hexadecimalDigit(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30 ... 0x39: digit - 0x30
        case 0x41 ... 0x46: digit - 0x41 + 10
        case 0x61 ... 0x66: digit - 0x61 + 10
        default: nil
        }
    }

    fileprivate static func replacing(_ mark: [UInt8], in piece: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var result: [UInt8] = [], position = 0
        while position < piece.count {
            if position + mark.count <= piece.count, piece[position ..< position + mark.count].elementsEqual(mark) {
                result.append(UInt8(ascii: " "))
                position += mark.count
            } else {
                result.append(piece[position])
                position += 1
            }
        }
        return result
    }
}

extension Tokenizer {
    /// The text that the ids stand for, decoded at once (see `TokenDecoder`).
    /// - Throws: `InputError` for an id that is not in the vocabulary.
    public func decodeText(_ ids: some Sequence<UInt32>, skippingSpecial: Bool = false) throws(InputError) -> [UInt8] {
        var decoder = TokenDecoder(self, skippingSpecial: skippingSpecial), text: [UInt8] = []
        for id in ids { try decoder.push(id, into: &text) }
        decoder.finish(into: &text)
        return text
    }

    /// The bytes that one id stands for inside a text: space marks as spaces, byte tokens as their byte.
    /// - Throws: `InputError` for an id that is not in the vocabulary.
    public func bytes(of id: UInt32) throws(InputError) -> [UInt8] {
        guard id < pieces.count else { throw InputError("token id \(id) is not in the vocabulary of \(pieces.count)") }
        let piece = pieces[Int(id)]
        guard case .sentencePiece(let mark, _) = decoder, !isSpecial(id) else { return Array(piece) }
        return TokenDecoder.byteToken(piece).map { [$0] } ?? TokenDecoder.replacing(mark, in: piece)
    }
}
