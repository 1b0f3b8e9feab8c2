import LanguageModel
import RecordStream
import SystemIO

/// Where the log-probabilities of a packed stream's responses come from: a model, or a stream that `uf-eval score` made of it.
public final class LogProbSource {
    enum Kind {
        case model(EvaluatedModel)
        case stream(RecordReader<LogProbRecord>)
    }

    private let kind: Kind
    /// The operand, for messages and reports.
    public let name: String

    public init(_ model: EvaluatedModel) {
        kind = .model(model)
        name = model.path
    }

    /// - Parameter precision: what is asked for. Throws when the stream is none of log-probabilities, or has them in single precision where double is asked for.
    public init(stream source: any ByteSource, precision: Precision = .single) throws {
        let reader = try RecordReader<LogProbRecord>(source)
        kind = .stream(reader)
        name = source.name
        guard precision == .single || reader.stream.head.settings["precision"]?.string == precision.rawValue else {
            throw InputError("\(name): log-probabilities in single precision, and --precision \(precision.rawValue) was asked for; run uf-eval score with --precision \(precision.rawValue)")
        }
    }

    /// The log-probabilities are computed, not read.
    public var isModel: Bool { model != nil }

    /// The model, where this is one.
    var model: LanguageModel? {
        if case .model(let evaluated) = kind { evaluated.model } else { nil }
    }

    /// Digest of the model that the log-probabilities are of.
    public func modelDigest() throws -> String {
        switch kind {
        case .model(let model): return model.digest
        case .stream(let reader):
            guard let digest = reader.stream.head.settings["model"]?.string else {
                throw InputError("\(name): its head names no model; make it again with uf-eval score")
            }
            return digest
        }
    }

    /// Before the first bin: whether this belongs to a packed stream with this head.
    public func check(_ head: StreamHead, in stream: String) throws {
        if case .model(let model) = kind { try model.checkTokenizer(of: head, in: stream) }
    }

    /// Those of a bin's records, in order. Bins must come in the stream's order.
    public func logProbs(of bin: PackedBin, in stream: String) throws -> [LogProbRecord] {
        switch kind {
        case .model(let model): return try ResponseScorer(model.model).score(bin, in: stream)
        case .stream(let reader):
            let counts = bin.responseTokenCounts
            return try bin.members.indices.map { index in
                let member = bin.members[index]
                guard let record = try reader.next() else { throw otherStream(stream, "it ends after \(reader.stream.recordsRead) records") }
                guard record.id == member.id else { throw otherStream(stream, "it has record \(record.id) where the other has \(member.id)") }
                guard record.tokenCounts == counts[index] else {
                    throw otherStream(stream, "record \(record.id) has responses of \(Self.list(record.tokenCounts)) tokens, in the other of \(Self.list(counts[index]))")
                }
                return record
            }
        }
    }

    /// After the last bin: whether a stream of log-probabilities ends here too, and was made of just this content.
    public func checkEnd(content: String, of stream: String) throws {
        guard case .stream(let reader) = kind else { return }
        guard try reader.next() == nil else { throw otherStream(stream, "it goes on after the other's last record") }
        let contents: [String] = reader.stream.tail?.inputs.compactMap { if case .stream(_, let content, _, _) = $0 { content } else { nil } } ?? []
        guard contents == [content] else { throw otherStream(stream, "it was made of other records") }
    }

    private static func list(_ counts: [UInt32]) -> String { counts.map { String($0) }.joined(separator: ", ") }

    private func otherStream(_ stream: String, _ difference: String) -> InputError {
        InputError("\(name): log-probabilities of another stream than \(stream): \(difference); run uf-eval score on \(stream)")
    }
}

extension PackedBin {
    /// N scored tokens for the responses of each member.
    var responseTokenCounts: [[UInt32]] {
        var counts = members.map { [UInt32](repeating: 0, count: $0.responseCount) }
        for segment in segments where segment.response >= 0 { counts[Int(segment.record)][Int(segment.response)] = segment.end - segment.labelStart }
        return counts
    }
}
