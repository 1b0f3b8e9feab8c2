/// What one thread keeps between texts: the cache of pieces, working memory, and counts of what was altered. It serves any tokenizer; changing the
/// tokenizer empties the cache.
public final class EncodingScratch {
    /// What encoding did to texts, added up until it is set back.
    public struct Counts: Sendable, Equatable {
        /// Special tokens that a text spelled out and that stayed text.
        public var literalSpecialTokens = 0
        /// Lone surrogates that became U+FFFD.
        public var surrogates = 0
        /// Other bytes that are not UTF-8 and became U+FFFD.
        public var invalidBytes = 0
        /// Bytes or characters that the vocabulary has no piece for and left out, as the reference does.
        public var droppedSymbols = 0

        public init() {}

        public static func += (left: inout Counts, right: Counts) {
            left.literalSpecialTokens += right.literalSpecialTokens
            left.surrogates += right.surrogates
            left.invalidBytes += right.invalidBytes
            left.droppedSymbols += right.droppedSymbols
        }
    }

    public var counts = Counts()
    let cache: PieceCache
    let longPieces = LongPieceCache()
    let cutter: PieceCutter
    let parts = PartEncoder()
    /// Cuts character by character and remembers nothing: the plain version, for tests.
    let isPlain: Bool
    /// What the other threads of a run learn, and how much of it is known here.
    private let shared: LearntPieces?
    private var known = 0
    let merging = MergeWorkspace()
    private(set) var symbols: UnsafeMutablePointer<UInt32>
    private var symbolCapacity: Int
    private var owner: ObjectIdentifier?

    public convenience init() { self.init(isPlain: false) }

    init(isPlain: Bool = false, window: Int = 1 << 14, cache: PieceCache = PieceCache(), shared: LearntPieces? = nil) {
        self.isPlain = isPlain
        self.shared = shared
        self.cache = cache
        cutter = PieceCutter(window: window)
        symbolCapacity = 256
        symbols = .allocate(capacity: symbolCapacity)
    }

    deinit { symbols.deallocate() }

    /// Learns what other threads have learnt, and tells them; between texts. All of them serve one tokenizer.
    func exchange() { shared?.exchange(with: cache, known: &known) }

    func serve(_ tokenizer: Tokenizer) {
        let id = ObjectIdentifier(tokenizer)
        if owner != id {
            if owner != nil {
                cache.empty()
                longPieces.empty()
            }
            parts.serve(tokenizer)
            owner = id
            lastTokenizer = tokenizer
        }
    }

    /// Held so that no other tokenizer can come to life at the same address.
    private var lastTokenizer: Tokenizer?

    func reserveSymbols(_ count: Int) {
        guard count > symbolCapacity else { return }
        symbols.deallocate()
        symbolCapacity = count < 1 << 20 ? count + count / 2 : count
        symbols = .allocate(capacity: symbolCapacity)
    }

    /// Gives back what an uncommonly long piece took.
    func shrink() {
        merging.shrink()
        guard symbolCapacity > 1 << 16 else { return }
        symbols.deallocate()
        symbolCapacity = 256
        symbols = .allocate(capacity: symbolCapacity)
    }
}
