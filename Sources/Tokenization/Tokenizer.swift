import Checksums

/// A byte-pair vocabulary with everything that turns text into its ids and back, as a Hugging Face `tokenizer.json` describes it; vocabularies in other
/// forms are put into that one first (`TokenizerSource` of ModelFiles).
///
/// Byte-level vocabularies (GPT-2, Llama 3, Qwen2, SmolLM2, StarCoder) and SentencePiece-style ones with byte fallback (Llama 2, Mistral) give the ids
/// that `tokenizers` 0.23.3 gives. A file that asks for anything else is refused with the name of what it asks for. Truncation and padding
/// that a file asks for are not applied: that is the packing's business.
///
/// Immutable: threads share one, each with an `EncodingScratch` of its own.
public final class Tokenizer: Sendable {
    /// Largest id + 1; every id below it has a piece.
    public var vocabularySize: Int { pieces.count }
    /// SHA-256 of the bytes of the vocabulary's own file, or of a pair's two files one behind the other: shards and models are bound to it.
    public let digest: [UInt8]
    public let addedTokens: [AddedToken]
    /// What the post-processor puts before and after a text.
    public let prefixTokens: [UInt32]
    public let suffixTokens: [UInt32]

    let pieces: PieceTable
    let merges: MergeTable
    let units: CharacterUnits
    /// For vocabularies of bytes.
    let joints: SymbolJoints?
    let symbols: SymbolRules
    /// Whether bytes have no symbol.
    let lacksBytes: Bool
    let pattern: PiecePattern
    let normalizer: TextNormalizer
    let marking: SpaceMarking?
    let rawMatcher: AddedTokenMatcher
    let normalizedMatcher: AddedTokenMatcher
    let decoder: PieceDecoder
    let addedByContent: [[UInt8]: UInt32]
    let specialIDs: Set<UInt32>
    /// Entries of the merged vocabulary as the file spells them, and their ids.
    let entries: PieceTable
    let entryIDs: FixedBuffer<UInt32>

    init(_ parts: TokenizerParts, digest: [UInt8]) {
        self.digest = digest
        addedTokens = parts.addedTokens
        prefixTokens = parts.prefixTokens
        suffixTokens = parts.suffixTokens
        pieces = parts.pieces
        merges = parts.merges
        units = parts.units
        joints = parts.merges.isScannable ? parts.joints : nil
        symbols = parts.symbols
        lacksBytes = (0 ..< 256).contains { [byteIDs = parts.symbols.byteIDs] in byteIDs.base[$0] == MergeTable.none }
        pattern = parts.pattern
        normalizer = parts.normalizer
        marking = parts.marking
        rawMatcher = parts.rawMatcher
        normalizedMatcher = parts.normalizedMatcher
        decoder = parts.decoder
        addedByContent = Dictionary(parts.addedTokens.map { ($0.content, $0.id) }, uniquingKeysWith: { first, _ in first })
        specialIDs = Set(parts.addedTokens.lazy.filter(\.isSpecial).map(\.id))
        entries = parts.entries
        entryIDs = parts.entryIDs
    }

    public var digestHex: String { hexadecimal(digest) }

    /// The id of a token as the file spells it ("<|im_end|>", "Ġthe", "▁the").
    public func id(of token: String) -> UInt32? { id(of: Array(token.utf8)) }

    public func id(of token: [UInt8]) -> UInt32? {
        addedByContent[token] ?? entries.id(of: token).map { entryIDs.base[Int($0)] }
    }

    public func isSpecial(_ id: UInt32) -> Bool { specialIDs.contains(id) }

    /// The bytes that a token stands for ("Ġthe" is " the"); in SentencePiece-style vocabularies the space mark is kept, and `<0x0A>` is spelled so.
    public func piece(_ id: UInt32) -> [UInt8]? { id < pieces.count ? Array(pieces[Int(id)]) : nil }

    /// The token that begins a text, where the post-processor names one.
    public var beginning: UInt32? { prefixTokens.first }
    /// The token that ends a text, where the post-processor names one.
    public var ending: UInt32? { suffixTokens.last }
}

/// How a piece becomes the symbols that merging starts from.
struct SymbolRules: Sendable {
    enum Alphabet: Sendable {
        /// One symbol a byte.
        case bytes
        /// One symbol a character; one that has no piece goes by its bytes (`<0xNN>`) where all have one, else it is unknown.
        case characters
    }

    var alphabet: Alphabet
    /// Id of each byte's symbol (of `<0xNN>` under `characters`); `MergeTable.none` where the vocabulary lacks it.
    var byteIDs: FixedBuffer<UInt32>
    /// What an unknown character becomes; without one it is left out.
    var unknown: UInt32?
    /// Neighbouring unknown characters become one.
    var fusesUnknown: Bool
    /// A piece that is an entry as a whole is not merged from symbols.
    var takesWholeEntries: Bool
    /// No merge joins a space mark to what stands before it, and nothing else looks across either: the text may be cut there.
    var cutsBeforeMark: Bool
}

/// All that loading puts together.
struct TokenizerParts {
    var pieces: PieceTable
    var merges: MergeTable
    var units: CharacterUnits
    var joints: SymbolJoints?
    var symbols: SymbolRules
    var pattern: PiecePattern
    var normalizer: TextNormalizer
    var marking: SpaceMarking?
    var rawMatcher: AddedTokenMatcher
    var normalizedMatcher: AddedTokenMatcher
    var decoder: PieceDecoder
    var addedTokens: [AddedToken]
    var prefixTokens: [UInt32]
    var suffixTokens: [UInt32]
    var entries: PieceTable
    var entryIDs: FixedBuffer<UInt32>
}
