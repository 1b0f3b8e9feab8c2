import SystemIO

/// How the pieces of ids become text again.
enum PieceDecoder: Sendable, Equatable {
    /// The bytes of the pieces in a row.
    case bytes
    /// SentencePiece: space marks become spaces, `<0xNN>` the byte, and up to `strippedSpaces` spaces at the start go.
    case sentencePiece(mark: [UInt8], strippedSpaces: Int)
    /// No decoder: pieces with a space between.
    case joined
}

extension Tokenizer {
    /// The bytes that the ids stand for. They need not be UTF-8: a token may hold a part of a character, and what was encoded from invalid text
    /// came back as U+FFFD already.
    /// - Throws: `InputError` for an id that is not in the vocabulary.
    public func decode(_ ids: some Sequence<UInt32>, skippingSpecial: Bool = false) throws(InputError) -> [UInt8] {
        try decode(ids, skippingSpecial) { bytes, _ in bytes }
    }

    /// The text that the ids stand for, as Hugging Face's tokenizers give it: what is not UTF-8 becomes U+FFFD. Byte-level vocabularies repair the whole
    /// (one U+FFFD for each cut-off start of a character or stray byte), byte fallback each run of byte tokens (one for every byte of a run that is not valid).
    public func decodeText(_ ids: some Sequence<UInt32>, skippingSpecial: Bool = false) throws(InputError) -> [UInt8] {
        let bytes = try decode(ids, skippingSpecial) { bytes, _ in
            let isValid = bytes.withUnsafeBufferPointer { UTF8Text.validPrefix($0) == bytes.count }
            return isValid ? bytes : Array(repeatElement(UTF8Text.replacement, count: bytes.count).joined())
        }
        return Array(String(decoding: bytes, as: UTF8.self).utf8)
    }

    private func decode(_ ids: some Sequence<UInt32>, _ skippingSpecial: Bool, byteRun: ([UInt8], Tokenizer) -> [UInt8]) throws(InputError) -> [UInt8] {
        var result: [UInt8] = [], run: [UInt8] = []
        var first = true
        for id in ids {
            guard id < pieces.count else {
                throw InputError("token id \(id) is not in the vocabulary of \(pieces.count); is this the tokenizer that the ids were made with?")
            }
            if skippingSpecial, specialIDs.contains(id) { continue }
            let piece = pieces[Int(id)]
            switch decoder {
            case .bytes:
                result.append(contentsOf: piece)
            case .joined:
                if !first { result.append(UInt8(ascii: " ")) }
                result.append(contentsOf: piece)
            case .sentencePiece(let mark, _):
                if let byte = Self.byteToken(piece) {
                    run.append(byte)
                } else {
                    result.append(contentsOf: byteRun(run, self))
                    run.removeAll(keepingCapacity: true)
                    Self.append(piece, replacing: mark, to: &result)
                }
            }
            first = false
        }
        guard case .sentencePiece(_, let strippedSpaces) = decoder else { return result }
        result.append(contentsOf: byteRun(run, self))
        let spaces = result.prefix(strippedSpaces).prefix { $0 == UInt8(ascii: " ") }.count
        result.removeFirst(spaces)
        return result
    }

    /// The bytes that one id stands for inside a text: space marks as spaces, byte tokens as their byte.
    /// - Throws: `InputError` for an id that is not in the vocabulary.
    public func bytes(of id: UInt32) throws(InputError) -> [UInt8] {
        guard id < pieces.count else { throw InputError("token id \(id) is not in the vocabulary of \(pieces.count)") }
        let piece = pieces[Int(id)]
        guard case .sentencePiece(let mark, _) = decoder, !isSpecial(id) else { return Array(piece) }
        if let byte = Self.byteToken(piece) { return [byte] }
        var bytes: [UInt8] = []
        Self.append(piece, replacing: mark, to: &bytes)
        return bytes
    }

    /// The byte of a piece spelled `<0xNN>`.
    static func byteToken(_ piece: UnsafeBufferPointer<UInt8>) -> UInt8? {
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

    private static func append(_ piece: UnsafeBufferPointer<UInt8>, replacing mark: [UInt8], to result: inout [UInt8]) {
        var position = 0
        while position < piece.count {
            if position + mark.count <= piece.count, piece[position ..< position + mark.count].elementsEqual(mark) {
                result.append(UInt8(ascii: " "))
                position += mark.count
            } else {
                result.append(piece[position])
                position += 1
            }
        }
    }
}
