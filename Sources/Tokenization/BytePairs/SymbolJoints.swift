import CTokenization

/// The pairs of symbols between which some merge may join, for vocabularies of bytes: a bit for the hash of each, so that others may seem to join as well.
///
/// A merge of the tokens L and R joins the last of the symbols that L was made of and the first of R's. A symbol is a byte, or a character that is whole from the start (see `CharacterUnits`):
/// so it is L's last byte or last character, and R's first byte or first character. Where no merge has such a pair, nothing ever goes across, and the symbols before and those behind merge
/// by themselves: a line of Chinese falls into parts of one to three characters.
final class SymbolJoints: Sendable {
    let bits: FixedBuffer<UInt64>
    /// 64 less the number of bits of the hash.
    let shift: UInt32

    /// - Parameters:
    ///   - pieces: the bytes of each id.
    ///   - byteIDs: the symbol of each byte, `MergeTable.none` for one that has none.
    init(_ merges: [(left: UInt32, right: UInt32, joined: UInt32)], _ pieces: PieceTable, byteIDs: FixedBuffer<UInt32>) {
        var log = 12
        while 1 << log < 2 * merges.count { log += 1 }
        bits = FixedBuffer(repeating: 0, count: 1 << (log - 6))
        shift = UInt32(64 - log)
        // The last symbols and the first of a token that was met in an earlier merge: none beside the byte where the character is no token.
        var lasts = [Ends?](repeating: nil, count: pieces.count), firsts = lasts
        for merge in merges {
            let last = lasts[Int(merge.left)] ?? Ends(lastOf: pieces[Int(merge.left)], pieces, byteIDs), first = firsts[Int(merge.right)] ?? Ends(firstOf: pieces[Int(merge.right)], pieces, byteIDs)
            (lasts[Int(merge.left)], firsts[Int(merge.right)]) = (last, first)
            note(last.byte, first.byte)
            note(last.character, first.byte)
            note(last.byte, first.character)
            note(last.character, first.character)
        }
    }

    private func note(_ left: UInt32, _ right: UInt32) {
        let hash = (UInt64(left) << 32 | UInt64(right)) &* UF_PAIR_MULTIPLIER, bit = Int(truncatingIfNeeded: hash >> UInt64(shift))
        bits.base[bit >> 6] |= 1 << UInt64(bit & 63)
    }

    /// The symbols that may be at one end of a token: its byte, and the character of several bytes or once more the byte.
    private struct Ends {
        var byte: UInt32
        var character: UInt32

        init(lastOf bytes: UnsafeBufferPointer<UInt8>, _ pieces: PieceTable, _ byteIDs: FixedBuffer<UInt32>) {
            var start = bytes.count - 1
            while start > 0, bytes[start] & 0xC0 == 0x80, bytes.count - start < 4 { start -= 1 }
            self.init(bytes.last, bytes[max(start, 0)...], pieces, byteIDs)
        }

        init(firstOf bytes: UnsafeBufferPointer<UInt8>, _ pieces: PieceTable, _ byteIDs: FixedBuffer<UInt32>) {
            self.init(bytes.first, bytes.prefix(bytes.first.map { UTF8Text.length(lead: $0) } ?? 0), pieces, byteIDs)
        }

        private init(_ byte: UInt8?, _ character: Slice<UnsafeBufferPointer<UInt8>>, _ pieces: PieceTable, _ byteIDs: FixedBuffer<UInt32>) {
            self.byte = byte.map { byteIDs.base[Int($0)] } ?? MergeTable.none
            let character = UnsafeBufferPointer(rebasing: character)
            let isWhole = character.count > 1 && character[0] >= 0xC0 && UTF8Text.length(lead: character[0]) == character.count
            self.character = isWhole ? pieces.id(of: character.baseAddress, count: character.count) ?? self.byte : self.byte
        }
    }
}
