import CTokenization
import SystemIO

extension Tokenizer {
    /// Bytes of one text: positions inside a piece are kept in 32 bits, and normalisation may triple a text.
    public static let longestText = 512 << 20

    /// Appends the ids of a text, without the tokens that a post-processor or template would put around it.
    ///
    /// - Parameters:
    ///   - text: UTF-8; lone surrogates in their three-byte form and other invalid bytes become U+FFFD and are counted in `scratch`.
    ///   - special: what becomes of special tokens that the text spells out.
    ///   - leadingMark: whether a vocabulary that puts a space mark before text does so; false for text that continues other text.
    ///   - isUTF8: whether somebody has looked whether all of it is.
    /// - Throws: `InputError` for a text of more than `longestText` bytes.
    public func encode(_ text: UnsafeBufferPointer<UInt8>, special: LiteralSpecialTokens = .text, leadingMark: Bool = true, isUTF8: Bool = false,
                       into ids: inout [UInt32], scratch: EncodingScratch) throws(InputError) {
        guard text.count <= Self.longestText else {
            throw InputError("a text of \(text.count) bytes, expected at most \(Self.longestText); split it")
        }
        scratch.serve(self)
        if isUTF8 || UTF8Text.validPrefix(text) == text.count {
            encodeValid(text, special, leadingMark, &ids, scratch)
        } else {
            let (bytes, surrogates, invalid) = UTF8Text.repaired(text)
            scratch.counts.surrogates += surrogates
            scratch.counts.invalidBytes += invalid
            bytes.withUnsafeBufferPointer { encodeValid($0, special, leadingMark, &ids, scratch) }
        }
        scratch.shrink()
    }

    /// The ids of a text; for callers that do not mind the allocations.
    public func encode(_ text: [UInt8], special: LiteralSpecialTokens = .text, leadingMark: Bool = true, scratch: EncodingScratch? = nil) throws(InputError) -> [UInt32] {
        var ids: [UInt32] = []
        try encodeAll(text, special: special, leadingMark: leadingMark, into: &ids, scratch: scratch ?? EncodingScratch())
        return ids
    }

    /// `encode` for an array.
    func encodeAll(_ text: [UInt8], special: LiteralSpecialTokens = .text, leadingMark: Bool, into ids: inout [UInt32], scratch: EncodingScratch) throws(InputError) {
        do {
            try text.withUnsafeBufferPointer { try encode($0, special: special, leadingMark: leadingMark, into: &ids, scratch: scratch) }
        } catch let error as InputError { throw error } catch { throw InputError("\(error)", status: .internalError) }
    }

    /// The ids of a whole text with the tokens that the post-processor puts around it. None is put where the text already has it.
    public func encodeWhole(_ text: [UInt8], special: LiteralSpecialTokens = .text, scratch: EncodingScratch? = nil) throws(InputError) -> [UInt32] {
        let inner = try encode(text, special: special, scratch: scratch)
        let before = inner.starts(with: prefixTokens) ? [] : prefixTokens
        let after = inner.suffix(suffixTokens.count).elementsEqual(suffixTokens) ? [] : suffixTokens
        return before + inner + after
    }

    /// Added tokens of the raw text, then of each stretch between them after normalisation, as the reference does.
    private func encodeValid(_ text: UnsafeBufferPointer<UInt8>, _ special: LiteralSpecialTokens, _ leadingMark: Bool,
                             _ ids: inout [UInt32], _ scratch: EncodingScratch) {
        guard !rawMatcher.isEmpty else { return encodeStretch(text, special, leadingMark, true, &ids, scratch) }
        var literals = 0
        rawMatcher.split(text, special: special, literals: &literals) { stretch, token in
            if let token {
                ids.append(token)
            } else {
                encodeStretch(UnsafeBufferPointer(rebasing: text[stretch]), special, leadingMark, stretch.lowerBound == 0, &ids, scratch)
            }
        }
        scratch.counts.literalSpecialTokens += literals
    }

    private func encodeStretch(_ text: UnsafeBufferPointer<UInt8>, _ special: LiteralSpecialTokens, _ leadingMark: Bool, _ isFirst: Bool,
                               _ ids: inout [UInt32], _ scratch: EncodingScratch) {
        var buffer: [UInt8] = []
        // A stretch behind an added token is marked like a text of its own, as in the reference.
        guard !normalizer.steps.isEmpty, normalizer.apply(text, leadingMark: leadingMark || !isFirst, into: &buffer) else {
            return encodeNormalized(text, special, leadingMark, isFirst, &ids, scratch)
        }
        buffer.withUnsafeBufferPointer { encodeNormalized($0, special, leadingMark, isFirst, &ids, scratch) }
    }

    private func encodeNormalized(_ text: UnsafeBufferPointer<UInt8>, _ special: LiteralSpecialTokens, _ leadingMark: Bool, _ isFirst: Bool,
                                  _ ids: inout [UInt32], _ scratch: EncodingScratch) {
        guard !normalizedMatcher.isEmpty else { return encodeMarked(text, leadingMark, isFirst, &ids, scratch) }
        var literals = 0
        normalizedMatcher.split(text, special: special, literals: &literals) { stretch, token in
            if let token {
                ids.append(token)
            } else {
                encodeMarked(UnsafeBufferPointer(rebasing: text[stretch]), leadingMark, isFirst && stretch.lowerBound == 0, &ids, scratch)
            }
        }
        scratch.counts.literalSpecialTokens += literals
    }

    private func encodeMarked(_ text: UnsafeBufferPointer<UInt8>, _ leadingMark: Bool, _ isFirst: Bool, _ ids: inout [UInt32], _ scratch: EncodingScratch) {
        guard let marking, !text.isEmpty else { return encodePieces(text, &ids, scratch) }
        marking.marked(text, isFirst: isFirst, leadingMark: leadingMark).withUnsafeBufferPointer { encodePieces($0, &ids, scratch) }
    }

    private func encodePieces(_ text: UnsafeBufferPointer<UInt8>, _ ids: inout [UInt32], _ scratch: EncodingScratch) {
        guard let base = text.baseAddress, text.count > 0 else { return }
        switch pattern {
        case .gpt2(let isolatesDigits): cut(base, text.count, isolatesDigits ? UF_GPT2_ISOLATING : UF_GPT2, GPT2Scanner(isolatesDigits: isolatesDigits), &ids, scratch)
        case .llama3(let mostDigits): cut(base, text.count, mostDigits == 1 ? UF_QWEN2 : UF_LLAMA3, Llama3Scanner(mostDigits: mostDigits), &ids, scratch)
        case .none where marking?.cutsAtMarks == true: scan(base, text.count, SpaceMarkScanner(cutsEveryMark: true), &ids, scratch)
        case .none where symbols.cutsBeforeMark: scan(base, text.count, SpaceMarkScanner(), &ids, scratch)
        case .none: scan(base, text.count, NoCutScanner(), &ids, scratch)
        }
    }

    /// Every piece by the fast cutter; by the plain scanner where the caller's memory says so.
    private func cut(_ text: UnsafePointer<UInt8>, _ end: Int, _ pattern: uf_pattern, _ scanner: some PieceScanner, _ ids: inout [UInt32], _ scratch: EncodingScratch) {
        guard !scratch.isPlain else { return scan(text, end, scanner, &ids, scratch) }
        scratch.cutter.cut(
            text, end, pattern, scratch.cache, speller: joints == nil ? nil : scratch.parts.speller, into: &ids,
            merge: { start, length in idsOfPiece(text + start, length, readable: end - start, scratch) },
            longEnd: { scanner.pieceEnd(text, $0, end) })
    }

    /// Every piece by the scanner.
    private func scan(_ text: UnsafePointer<UInt8>, _ end: Int, _ scanner: some PieceScanner, _ ids: inout [UInt32], _ scratch: EncodingScratch) {
        scratch.cache.makeRoom()
        var position = 0
        while position < end {
            let next = scanner.pieceEnd(text, position, end), length = next &- position
            if length <= Int(UF_LONGEST_CACHED_PIECE), !scratch.isPlain, let known = scratch.cache.ids(of: text + position, length, readable: end &- position) {
                ids.append(contentsOf: known)
            } else {
                ids.append(contentsOf: idsOfPiece(text + position, length, readable: end &- position, scratch))
            }
            position = next
        }
    }

    /// The ids of a piece that the cache of short pieces does not have; they hold until the next call.
    @inline(never)
    private func idsOfPiece(_ piece: UnsafePointer<UInt8>, _ length: Int, readable: Int, _ scratch: EncodingScratch) -> UnsafeBufferPointer<UInt32> {
        guard !scratch.isPlain else { return merged(piece, length, readable: readable, scratch).ids }
        if length <= Int(UF_LONGEST_CACHED_PIECE) {
            let (ids, isWhole) = merged(piece, length, readable: readable, scratch)
            if isWhole { scratch.cache.remember(piece, length, readable: readable, ids) }
            return ids
        }
        guard length <= LongPieceCache.longestPiece else { return merged(piece, length, readable: readable, scratch).ids }
        let hash = LongPieceCache.hash(piece, length)
        // Of what is encoded by parts, these are remembered, and make a piece that comes for the first time cheap.
        if joints != nil, !UTF8Text.isASCII(piece, length), !scratch.longPieces.isMetAgain(hash: hash) { return merged(piece, length, readable: readable, scratch).ids }
        if let ids = scratch.longPieces.ids(of: piece, length, hash: hash) { return ids }
        let (ids, isWhole) = merged(piece, length, readable: readable, scratch)
        if isWhole { scratch.longPieces.remember(piece, length, hash: hash, ids) }
        return ids
    }

    /// The ids of a piece in `scratch.symbols`, and whether nothing was left out: what is left out is counted each time, so such ids are not for the caches.
    @inline(__always)
    private func merged(_ piece: UnsafePointer<UInt8>, _ length: Int, readable: Int, _ scratch: EncodingScratch) -> (ids: UnsafeBufferPointer<UInt32>, isWhole: Bool) {
        let (count, dropped) = merge(piece, length, readable: readable, scratch)
        return (UnsafeBufferPointer(start: UnsafePointer(scratch.symbols), count: count), dropped == 0)
    }

    /// Leaves the ids of one piece in `scratch.symbols`; returns their number and how many symbols had none and were left out.
    @inline(never)
    private func merge(_ piece: UnsafePointer<UInt8>, _ length: Int, readable: Int, _ scratch: EncodingScratch) -> (count: Int, dropped: Int) {
        scratch.reserveSymbols(length + Int(UF_MORE_IDS))
        let output = scratch.symbols
        if symbols.takesWholeEntries, let id = pieces.id(of: piece, count: length) {
            output[0] = id
            return (1, 0)
        }
        var (count, dropped) = (0, 0)
        switch symbols.alphabet {
        case .bytes:
            if joints != nil, !scratch.isPlain, !UTF8Text.isASCII(piece, length),
               let count = scratch.parts.encode(piece, length, readable: readable, scratch.cache, into: output) { return (count, 0) }
            count = spellBytes(piece, 0 ..< length, output)
            // A byte that the vocabulary lacks is left out, and its neighbours may merge across the gap: so does the reference.
            dropped = lacksBytes ? (0 ..< length).count { symbols.byteIDs.base[Int(piece[$0])] == MergeTable.none } : 0
            if let unknown = symbols.unknown, dropped > 0 { (count, dropped) = (spellUnknownBytes(piece, length, unknown, output), 0) }
        case .characters:
            (count, dropped) = spellCharacters(piece, length, output)
        }
        scratch.counts.droppedSymbols &+= dropped
        return (BytePairMerging.merge(output, count, merges.view, scratch.merging), dropped)
    }

    /// One symbol a byte, but for those that the vocabulary lacks.
    private func spellBytes(_ piece: UnsafePointer<UInt8>, _ range: Range<Int>, _ output: UnsafeMutablePointer<UInt32>) -> Int {
        var count = 0
        for index in range {
            let id = symbols.byteIDs.base[Int(piece[index])]
            output[count] = id
            if id != MergeTable.none { count &+= 1 }
        }
        return count
    }

    /// Bytes that the vocabulary lacks as the unknown token.
    private func spellUnknownBytes(_ piece: UnsafePointer<UInt8>, _ length: Int, _ unknown: UInt32, _ output: UnsafeMutablePointer<UInt32>) -> Int {
        var count = 0, afterUnknown = false
        for index in 0 ..< length {
            let id = symbols.byteIDs.base[Int(piece[index])]
            if id == MergeTable.none, afterUnknown, symbols.fusesUnknown { continue }
            output[count] = id == MergeTable.none ? unknown : id
            afterUnknown = id == MergeTable.none
            count += 1
        }
        return count
    }

    /// One symbol a character, by bytes where the character has none, else unknown. An unknown symbol is written when the next known character
    /// comes, so behind the bytes of characters between: the reference's order.
    private func spellCharacters(_ piece: UnsafePointer<UInt8>, _ length: Int, _ output: UnsafeMutablePointer<UInt32>) -> (count: Int, dropped: Int) {
        var count = 0, dropped = 0, position = 0
        var pendingUnknown = false
        let byteIDs = symbols.byteIDs.base
        while position < length {
            let size = UTF8Text.length(lead: piece[position])
            if let id = pieces.id(of: piece + position, count: size) {
                if pendingUnknown, let unknown = symbols.unknown {
                    output[count] = unknown
                    count &+= 1
                    pendingUnknown = false
                }
                output[count] = id
                count &+= 1
            } else if (position ..< position &+ size).allSatisfy({ byteIDs[Int(piece[$0])] != MergeTable.none }) {
                for index in position ..< position &+ size {
                    output[count] = byteIDs[Int(piece[index])]
                    count &+= 1
                }
            } else if let unknown = symbols.unknown {
                if pendingUnknown, !symbols.fusesUnknown {
                    output[count] = unknown
                    count &+= 1
                }
                pendingUnknown = true
            } else {
                dropped &+= 1
            }
            position &+= size
        }
        if pendingUnknown, let unknown = symbols.unknown {
            output[count] = unknown
            count &+= 1
        }
        return (count, dropped)
    }
}
