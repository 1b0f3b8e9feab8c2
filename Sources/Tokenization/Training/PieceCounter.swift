import CTokenization

/// Cuts texts into pieces and counts them. The cutter takes a piece's number in the table for its id, so that pieces met before are found in the cache that
/// serves encoding. One a thread.
final class PieceCounter {
    let pieces = PieceCounts()
    private(set) var counts = TextCounts()
    private let pattern: PiecePattern
    private let normalizer: TextNormalizer
    private let cutter = PieceCutter()
    private let cache = PieceCache()
    private let found = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
    private var numbers: [UInt32] = []
    private var normalized: [UInt8] = []

    init(_ pattern: TrainingPattern) {
        self.pattern = pattern.pieces
        normalizer = TextNormalizer(steps: pattern.composes ? [.composition] : [])
    }

    deinit { found.deallocate() }

    /// Counts the pieces of a text; what is not UTF-8 becomes U+FFFD, as in encoding.
    func count(_ text: UnsafeBufferPointer<UInt8>) {
        counts.texts += 1
        counts.bytes += text.count
        guard UTF8Text.validPrefix(text) < text.count else { return countValid(text) }
        let (bytes, surrogates, invalid) = UTF8Text.repaired(text)
        counts.surrogates += surrogates
        counts.invalidBytes += invalid
        bytes.withUnsafeBufferPointer { countValid($0) }
    }

    private func countValid(_ text: UnsafeBufferPointer<UInt8>) {
        guard normalizer.apply(text, leadingMark: false, into: &normalized) else { return countPieces(text) }
        normalized.withUnsafeBufferPointer { countPieces($0) }
    }

    private func countPieces(_ text: UnsafeBufferPointer<UInt8>) {
        guard let base = text.baseAddress, text.count > 0 else { return }
        numbers.removeAll(keepingCapacity: true)
        switch pattern {
        case .gpt2(let isolatesDigits): cut(base, text.count, isolatesDigits ? UF_GPT2_ISOLATING : UF_GPT2, GPT2Scanner(isolatesDigits: isolatesDigits))
        case .llama3(let mostDigits): cut(base, text.count, mostDigits == 1 ? UF_QWEN2 : UF_LLAMA3, Llama3Scanner(mostDigits: mostDigits))
        case .none: numbers.append(pieces.number(of: base, text.count))
        }
        pieces.note(numbers)
        counts.pieces += numbers.count
    }

    private func cut(_ text: UnsafePointer<UInt8>, _ end: Int, _ pattern: uf_pattern, _ scanner: some PieceScanner) {
        cutter.cut(
            text, end, pattern, cache, into: &numbers,
            merge: { start, length in
                found.pointee = pieces.number(of: text + start, length)
                let number = UnsafeBufferPointer(start: UnsafePointer(found), count: 1)
                if length <= Int(UF_LONGEST_CACHED_PIECE) { cache.remember(text + start, length, readable: end - start, number) }
                return number
            },
            longEnd: { scanner.pieceEnd(text, $0, end) })
    }
}

/// What was counted.
public struct TextCounts: Sendable, Equatable {
    public var texts = 0
    public var bytes = 0
    public var pieces = 0
    /// Lone surrogates that became U+FFFD.
    public var surrogates = 0
    /// Other bytes that are not UTF-8 and became U+FFFD.
    public var invalidBytes = 0

    public init() {}

    static func += (left: inout TextCounts, right: TextCounts) {
        left.texts += right.texts
        left.bytes += right.bytes
        left.pieces += right.pieces
        left.surrogates += right.surrogates
        left.invalidBytes += right.invalidBytes
    }
}
