import JSON
import LanguageModel
import RecordStream
import SystemIO

/// Whether a shard fits a model, checked before the first step.
public struct ShardCheck: Sendable {
    /// The model's folder, for messages.
    public var model: String
    public var configuration: ModelConfiguration
    /// SHA-256 of the folder's vocabulary; nil when it has none.
    public var tokenizerDigest: String?

    public init(model: String, configuration: ModelConfiguration, tokenizerDigest: String?) {
        self.model = model
        self.configuration = configuration
        self.tokenizerDigest = tokenizerDigest
    }

    /// What a shard is for.
    public enum Use: String, Sendable {
        case learn = "learn from", measure = "measure on"
    }

    /// Refuses a shard of single responses (layout sft), without records, of another tokenizer, token ids beyond the vocabulary and sequences beyond the context. Reads every bin.
    public func check(_ shard: PackedShard, for use: Use = .learn) throws {
        guard shard.layout != .sft else {
            throw InputError("\(shard.name): packed to layout sft, whose responses are there to be imitated and not compared; pack again with --layout shared-prefix, rows16 or pairs")
        }
        try checkTokenizer(shard)
        guard shard.recordCount > 0 else { throw InputError("\(shard.name): holds no records, so there is nothing to \(use.rawValue)") }
        for number in 0 ..< shard.binCount { try check(shard.bin(number), number, shard) }
    }

    private func checkTokenizer(_ shard: PackedShard) throws {
        guard let digest = shard.head.settings[ShardSetting.tokenizer]?.string else {
            throw InputError("\(shard.name): its head names no tokenizer, so nothing says that its token ids are \(model)'s; make it again with uf-tokenize and uf-pack")
        }
        guard let ours = tokenizerDigest else {
            throw InputError("\(model): holds no tokenizer to compare with that of \(shard.name) (sha256 \(digest)); put it into the folder", status: .missingInput)
        }
        guard digest == ours else {
            throw InputError("\(shard.name): its token ids were made with the tokenizer of sha256 \(digest), that of \(model) has \(ours); run uf-tokenize with the model's tokenizer and pack again")
        }
    }

    private func check(_ bin: PackedBin, _ number: Int, _ shard: PackedShard) throws {
        for segment in bin.segments {
            let range = Int(segment.start) ..< Int(segment.end)
            let id = bin.members[Int(segment.record)].id
            for token in bin.tokens[range] where Int(token) >= configuration.vocabularySize {
                throw InputError("\(shard.name): record \(id) in bin \(number) has token \(token), the vocabulary of \(model) has \(configuration.vocabularySize); run uf-tokenize with the model's tokenizer and pack again")
            }
            // Positions count on from the first, so the last is the greatest.
            if let last = bin.positions[range].last, Int(last) >= configuration.contextLength {
                throw InputError("\(shard.name): record \(id) in bin \(number) has a sequence of \(Int(last) + 1) tokens, the context of \(model) is \(configuration.contextLength); pack again with --max-length \(configuration.contextLength)")
            }
        }
    }
}
