import JSON
import RecordStream

/// Packed records as lines of JSON.
public struct LineExporter {
    private let format: ExportFormat
    private let layout: PackedLayout
    private var writer = JSONWriter()
    public private(set) var counts = ExportCounts()

    /// - Parameter format: not npz, which is no text.
    public init(_ format: ExportFormat, layout: PackedLayout) {
        precondition(format != .npz, "arrays are no lines")
        self.format = format
        self.layout = layout
    }

    /// The lines of a bin's records.
    public mutating func lines(_ bin: PackedBin) throws -> [UInt8] {
        writer.removeAll()
        for record in try bin.unpacked(layout) {
            counts.records += 1
            switch format {
            case .jsonl: try writeRecord(record)
            default:
                if layout == .sft { record.sequences.forEach { writeSequence($0) } } else { try writePairs(record) }
            }
        }
        return writer.bytes
    }

    private mutating func writeRecord(_ record: UnpackedRecord) throws {
        let member = record.member, ratings = member.ratings
        func matrix(_ values: [JSONValue]) -> JSONValue {
            let width = member.responseCount
            return .array(ratings.dimensions.indices.map { .array(Array(values[$0 * width ..< ($0 + 1) * width])) })
        }
        // A line's number is of 64 bits, which a JSON value of ours holds 63 of: nil stands for it.
        let facts: [(String, JSONValue?)] = [
            ("id", .string(member.id)), ("source", .string(member.source)), ("origin_input", JSONValue(Int(member.origin.input))),
            ("origin_line", nil), ("dimensions", .array(ratings.dimensions.map { .string($0) })),
            ("ratings", matrix(ratings.ratings.map { $0.isNaN ? .null : .number($0) })), ("rated", matrix(ratings.rated.map { JSONValue(Int($0)) })),
            ("targets", matrix(ratings.targets.map { .number($0) })),
        ]
        begin()
        for (name, value) in facts {
            key(name)
            if let value { try writer.write(value) } else { append(String(member.origin.line)) }
        }
        key("responses")
        append("[")
        for (number, sequence) in record.sequences.enumerated() {
            append(number > 0 ? "," : "")
            begin()
            numbers("input_ids", sequence.tokens)
            labels("labels", sequence)
            key("prompt_tokens_cut")
            writer.write(digitsOf: member.promptCuts[member.promptCuts.count == 1 ? 0 : number])
            if let gaps = member.promptGaps {
                key("prompt_gaps")
                try writer.write(.array(gaps[gaps.count == 1 ? 0 : number].map(\.json)))
            }
            key("response_tokens_cut")
            writer.write(digitsOf: member.responseCuts[number])
            append("}")
        }
        append("]")
        if layout == .pairs {
            key("pairs")
            try writer.write(.array(record.pairs.map { .array([JSONValue($0.better), JSONValue($0.worse)]) }))
        }
        end()
    }

    /// Layout sft: what both programs call a tokenised example to imitate.
    private mutating func writeSequence(_ sequence: ResponseSequence) {
        begin()
        columns("", sequence)
        media()
        end()
    }

    private mutating func writePairs(_ record: UnpackedRecord) throws {
        var pairs = record.pairs
        if layout != .pairs {
            switch ResponseChoice.bestAndWorst(record.member.ratings, responses: record.sequences.count) {
            case .none(let reason): return counts.skip(reason.description)
            case .some(let kept, let chosen): pairs = chosen.map { ResponsePair(better: kept[$0.better], worse: kept[$0.worse]) }
            case .all: preconditionFailure("a rule of pairs chooses responses")
            }
        }
        if format == .trl {
            let usable = pairs.filter { record.sequences[$0.better].prompt == record.sequences[$0.worse].prompt }
            guard !usable.isEmpty else { return counts.skip("whose responses have prompts of their own, which a pair of TRL has not") }
            counts.pairsSkipped += pairs.count - usable.count
            pairs = usable
        }
        for pair in pairs {
            let chosen = record.sequences[pair.better], rejected = record.sequences[pair.worse]
            begin()
            if format == .trl {
                key("id")
                try writer.write(record.member.id)
                numbers("prompt_ids", chosen.prompt)
                numbers("chosen_ids", chosen.response)
                numbers("rejected_ids", rejected.response)
            } else {
                columns("chosen_", chosen)
                columns("rejected_", rejected)
                media()
            }
            end()
        }
    }

    private mutating func columns(_ prefix: String, _ sequence: ResponseSequence) {
        numbers(prefix + "input_ids", sequence.tokens)
        numbers(prefix + "attention_mask", repeatElement(1, count: sequence.tokens.count))
        labels(prefix + "labels", sequence)
    }

    /// LLaMA-Factory's collators ask for these by name.
    private mutating func media() {
        guard format == .llamafactory else { return }
        for name in ["images", "videos", "audios"] {
            key(name)
            append("null")
        }
    }

    private mutating func numbers(_ name: String, _ values: some Sequence<UInt32>) {
        key(name)
        append("[")
        for (place, value) in values.enumerated() {
            if place > 0 { append(",") }
            writer.write(digitsOf: value)
        }
        append("]")
    }

    /// The token where it is learnt, -100 elsewhere: what cross-entropies of PyTorch leave out.
    private mutating func labels(_ name: String, _ sequence: ResponseSequence) {
        key(name)
        append("[")
        var done = 0
        for range in sequence.learnt {
            for place in done ..< range.upperBound {
                if place > 0 { append(",") }
                if place < range.lowerBound { append("-100") } else { writer.write(digitsOf: sequence.tokens[place]) }
            }
            done = range.upperBound
        }
        append("]")
    }

    private var isFirst = true

    private mutating func begin() {
        append("{")
        isFirst = true
    }

    private mutating func key(_ name: String) {
        append(isFirst ? "\"\(name)\":" : ",\"\(name)\":")
        isFirst = false
    }

    private mutating func end() {
        append("}\n")
        counts.written += 1
    }

    private mutating func append(_ text: String) { writer.append(raw: text.utf8) }
}
