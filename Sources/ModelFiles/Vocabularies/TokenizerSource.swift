import Checksums
import JSON
import SystemIO

/// A vocabulary as it lies beside a model, in whatever form, and as the tokenizer.json that Hugging Face's converters make of it.
///
/// Forms: a tokenizer.json; GPT-2's pair (encoder.json and vocab.bpe, or vocab.json and merges.txt); ranks as tiktoken has them; a SentencePiece BPE model; the
/// vocabulary inside a GGUF. A file's form is told by what it holds, except that a name in .json, and the names of a pair, count.
public struct TokenizerSource: Sendable {
    /// The file, for messages; of a pair the first.
    public let name: String
    /// The bytes of a tokenizer.json.
    public let json: [UInt8]
    /// SHA-256 of the file's bytes, of a pair's two files one after the other: what streams and models are bound to.
    public let digest: [UInt8]
    public let isPair: Bool
    /// Whose pattern and special tokens were taken, where the files do not say it themselves.
    public let family: TokenizerFamily?
    /// The same as a sentence, where nobody named the family.
    public let assumption: String?

    private static let largest = 256 << 20

    /// - Parameters:
    ///   - path: a file, or a folder that holds a vocabulary (`TokenizerFiles.vocabulary`).
    ///   - family: whose pattern and special tokens ranks or a pair have; else the number of tokens tells it.
    /// - Throws: `.missingInput` where nothing can be read, `.invalidData` naming file and place for what is damaged or not supported, and for a family
    ///   beside a form that says itself.
    public init(path: String, family: TokenizerFamily? = nil) throws {
        let paths = try TokenizerSource.files(of: path)
        name = paths[0]
        isPair = paths.count == 2
        var assumed: (family: TokenizerFamily, assumption: String?)?
        if isPair {
            let encoder = try TokenizerSource.read(paths[0]), merges = try TokenizerSource.read(paths[1])
            let pair = try MergesPair(encoder: encoder, paths[0], merges: merges, paths[1])
            let known = try pair.family(family, name: name)
            (json, digest, assumed) = (try TokenizerSource.bytes(pair.vocabulary.json(known.family), name), SHA256.digest(of: encoder + merges), known)
        } else if try GGUFFile.isGGUF(name) {
            // Hashed and read where it lies: the weights of a model may be larger than the memory.
            json = try TokenizerSource.bytes(try Tokenizer(try GGUFFile(path: name), rows: nil).json, name)
            digest = try TokenizerFiles.digest([name])
        } else {
            let bytes = try TokenizerSource.read(name)
            digest = SHA256.digest(of: bytes)
            if TokenizerSource.isJSON(bytes, name) {
                json = bytes
            } else if bytes.first == 0x0A {
                json = try TokenizerSource.bytes(try SentencePieceModel(bytes, name: name).tokenizer(), name)
            } else if TokenizerSource.startsWithRank(bytes) || name.hasSuffix(".tiktoken") {
                let ranks = try RankFile(bytes, name: name), known = try ranks.family(family, name: name)
                (json, assumed) = (try TokenizerSource.bytes(ranks.vocabulary(known.family, name: name).json(known.family), name), known)
            } else {
                throw InputError("\(name): is no vocabulary: a tokenizer.json, encoder.json with vocab.bpe, a file of ranks (tiktoken), "
                    + "a SentencePiece model or a GGUF was expected")
            }
        }
        if family != nil, assumed == nil { throw InputError("\(name): says itself how text is cut and which tokens are special; leave --tokenizer-family out") }
        (self.family, assumption) = (assumed?.family, assumed?.assumption)
    }

    /// The file that `path` names, two of a pair of which it names one, or those of a folder.
    public static func files(of path: String) throws -> [String] {
        isFolder(path) ? try TokenizerFiles(folder: path).requireVocabulary() : try TokenizerFiles.pair(of: path) ?? [path]
    }

    private static func read(_ path: String) throws -> [UInt8] {
        let bytes = try readWholeFile(path, limit: largest)
        if bytes.starts(with: [0x1F, 0x8B]) { throw InputError("\(path): compressed by gzip; unpack it first (gzip -dk \(path))") }
        if bytes.starts(with: "GGUF".utf8), isPipe(path) { throw InputError("\(path): a GGUF is read where it lies, and this is a pipe; give the file's name") }
        return bytes
    }

    /// An empty file counts as JSON, whose reader says what is missing.
    private static func isJSON(_ bytes: [UInt8], _ name: String) -> Bool {
        let first = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        return name.hasSuffix(".json") || bytes.isEmpty || first.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "{")
    }

    /// Whether the first line is one of a file of ranks.
    private static func startsWithRank(_ bytes: [UInt8]) -> Bool {
        let words = bytes.prefix(4096).prefix { $0 != 0x0A }.split(separator: 0x20, omittingEmptySubsequences: false)
        return words.count == 2 && Base64.decoded(words[0]) != nil
    }

    private static func bytes(_ json: JSONValue, _ name: String) throws -> [UInt8] {
        do { return try json.serialized() } catch { throw InputError("\(name): \(error)") }
    }
}
