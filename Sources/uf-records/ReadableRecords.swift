import CommandSupport
import JSON
import ModelFiles
import Packing
import RecordStream
import SystemIO
import Tokenization

/// Tokens and packed records as pages for people: prompt, responses one under the other, what is learnt of them and what was cut, and the targets as bars.
struct ReadableRecords {
    private let painter: TokenPainter
    /// Of packed records.
    private let layout: PackedLayout?

    /// - Throws: `InputError` where the stream is of another kind, or not of this tokenizer.
    init(_ head: StreamHead, name: String, tokenizer operand: String, family: TokenizerFamily?, isColored: Bool) throws {
        let kind = head.schema.kind
        guard ["tokens", "packed"].contains(kind) else {
            throw InputError("\(name): a stream of \(kind) records, which hold no token ids; without --tokenizer they are shown as JSON", status: .usage)
        }
        layout = kind == "packed" ? head.settings["layout"]?.string.flatMap { PackedLayout(rawValue: $0) } : nil
        if kind == "packed", layout == nil { throw InputError("\(name): its head names no layout that this release knows; make the stream again with uf-pack") }
        let source = try TokenizerSource(path: operand, family: family)
        let tokenizer = try Tokenizer(json: source.json, name: source.name, digest: source.digest), wanted = head.settings["tokenizer"]?.string
        guard wanted == tokenizer.digestHex else {
            let other = wanted.map { "are of the tokenizer \($0.prefix(16))" } ?? "are of a tokenizer that its head does not name"
            throw InputError("\(name): its token ids \(other), and \(source.name) is \(tokenizer.digestHex.prefix(16)); give the one that uf-tokenize had")
        }
        painter = TokenPainter(tokenizer: tokenizer, isColored: isColored)
    }

    /// A record's page; of a bin all of its records, or those that have the id.
    func page(_ block: Block, _ number: Int, id: Text? = nil) throws -> String {
        var text = "", records: [UnpackedRecord] = []
        let place = "\(block.name): record \(block.firstRecord + number)"
        if let layout {
            let bin: PackedBin = try block.record(number)
            text = heading("bin \(block.firstRecord + number)", "\(counted(bin.tokens.count, "token")), \(counted(bin.members.count, "record"))")
            do { records = try bin.unpacked(layout).filter { id == nil || $0.member.id == id } } catch { throw error.at(place) }
        } else {
            records = [UnpackedRecord(try block.record(number))]
        }
        for record in records {
            do { text += try page(record) + "\n" } catch { throw error.at(place) }
        }
        return text
    }

    private func heading(_ title: String, _ facts: String, mark: String = "") -> String {
        painter.painted(title, .heading) + (facts.isEmpty ? "" : "  " + facts) + (mark.isEmpty ? "" : "  " + painter.painted(mark, .mark)) + "\n"
    }

    private func page(_ record: UnpackedRecord) throws(InputError) -> String {
        let member = record.member, origin = member.origin
        var page = heading("record \(TextTable.cell(member.id.description))", "\(TextTable.cell(member.source.description)), input \(origin.input), line \(origin.line)")
        let isShared = record.sequences.dropFirst().allSatisfy { $0.prompt == record.sequences[0].prompt }
        for (number, sequence) in record.sequences.enumerated() {
            if number == 0 || !isShared { page += try prompt(sequence, member, member.promptCuts.count == 1 ? 0 : number) }
            page += "  " + heading("response \(number)", "\(counted(sequence.response.count, "token")), learnt")
            page += try painter.lines(sequence.response, isMasked: false, margin: "    ", marks: [sequence.response.count: mark(cut: member.responseCuts[number])])
        }
        for pair in record.pairs { page += "  " + heading("pair", "response \(pair.better) is better than response \(pair.worse)") }
        return page + targets(member.ratings, responses: record.sequences.count)
    }

    private func mark(cut tokens: UInt32) -> String { tokens > 0 ? "[\(counted(Int(tokens), "token")) cut]" : "" }

    /// The prompt, and apart from it the earlier answers that are learnt. What was cut is marked in its place, in the heading where the stream does not keep places.
    private func prompt(_ sequence: ResponseSequence, _ member: PackedBin.Member, _ number: Int) throws(InputError) -> String {
        var parts: [(title: String, range: Range<Int>)] = [], done = 0
        for answer in sequence.answers {
            parts += [("prompt", done ..< answer.lowerBound), ("earlier answer", answer)]
            done = answer.upperBound
        }
        parts.append(("prompt", done ..< sequence.promptTokens))
        let gaps = member.promptGaps?[number] ?? []
        var text = "", total = member.promptGaps == nil ? mark(cut: member.promptCuts[number]) : ""
        for (title, range) in parts where !range.isEmpty {
            let isMasked = title == "prompt", isLast = range.upperBound == sequence.promptTokens
            // A gap between two parts stands before the second.
            let inside = gaps.filter { range.contains(Int($0.at)) || isLast && $0.at == range.upperBound }
            text += "  " + heading(title, "\(counted(range.count, "token")), \(isMasked ? "masked" : "learnt")", mark: total)
            let marks = Dictionary(uniqueKeysWithValues: inside.map { (Int($0.at) - range.lowerBound, mark(cut: $0.tokens)) })
            text += try painter.lines(sequence.tokens[range], isMasked: isMasked, margin: "    ", marks: marks)
            total = ""
        }
        return text
    }

    private func targets(_ ratings: Ratings, responses: Int) -> String {
        var text = ""
        for (row, name) in ratings.dimensions.enumerated() {
            let cells = row * responses ..< (row + 1) * responses, isInUse = ratings.targets[cells].contains { $0 > 0 }
            text += "  " + heading(TextTable.cell(name.description), isInUse ? "" : "left out")
            guard isInUse else { continue }
            let bars = cells.map { cell in
                let rating = ratings.ratings[cell], note = ratings.rated[cell] == 0 ? "not rated" : rating.isNaN ? "" : "rated \(digits(rating))"
                return (label: "response \(cell - cells.lowerBound)", note: note, share: ratings.targets[cell])
            }
            text += barChart(shares: bars, indent: 4).map { $0 + "\n" }.joined()
        }
        return text
    }

    private func digits(_ rating: Double) -> String { rating == rating.rounded() && abs(rating) < 1e15 ? "\(Int(rating))" : "\(rating)" }
}

extension UnpackedRecord {
    /// As uf-tokenize made it, before anything was cut.
    fileprivate init(_ record: TokensRecord) {
        let sequences = record.responses.enumerated().map { number, response in
            let prompt = record.prompts[record.prompts.count == 1 ? 0 : number]
            return ResponseSequence(tokens: prompt.ids + response, promptTokens: prompt.ids.count, answers: prompt.answers.map { Int($0.lowerBound) ..< Int($0.upperBound) })
        }
        let member = PackedBin.Member(
            id: record.id, origin: record.origin, source: record.source, ratings: record.ratings, promptCuts: [0], promptGaps: [[]],
            responseCuts: [UInt32](repeating: 0, count: sequences.count))
        self.init(member: member, sequences: sequences, pairs: [], rowCount: sequences.count)
    }
}
