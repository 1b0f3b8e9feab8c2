import JSON
import LanguageModel
import RecordStream
import SystemIO

/// Log-probabilities of every response of a packed stream under a model: one forward pass a bin, shared prompts computed once.
public struct ResponseScorer {
    let model: LanguageModel

    public init(_ model: LanguageModel) { self.model = model }

    /// One record for each member of the bin, in its order. `name` is the stream's, for messages.
    public func score(_ bin: PackedBin, in name: String) throws -> [LogProbRecord] {
        let plan = ScoringPlan(bin)
        let logProbs: [Double]
        do { logProbs = try model.logProbs(plan.tree, scored: plan.scored) } catch let error as InputError {
            throw error.at("\(name): the bin of record \(bin.members.first?.id ?? "")")
        }
        var records = bin.members.map { LogProbRecord(id: $0.id, logProbs: .init(repeating: 0, count: $0.responseCount), tokenCounts: .init(repeating: 0, count: $0.responseCount)) }
        for response in plan.responses {
            var sum = 0.0
            for place in response.places { sum += logProbs[place] }
            guard sum.isFinite else {
                throw InputError("\(name): record \(bin.members[response.member].id): the model gives response \(response.response) the log-probability \(sum); its weights are damaged or overflow")
            }
            records[response.member].logProbs[response.response] = sum
            records[response.member].tokenCounts[response.response] = UInt32(response.places.count)
        }
        return records
    }
}

/// A packed bin in the engine's terms: the tree of its segments and which predictions belong to which response.
struct ScoringPlan {
    struct Response {
        var member: Int
        var response: Int
        /// Its tokens among `scored`.
        var places: Range<Int>
    }

    var tree: TokenTree
    var scored = ScoredTokens()
    var responses: [Response] = []

    init(_ bin: PackedBin) {
        tree = TokenTree(tokens: bin.tokens, positions: bin.positions, segments: bin.segments.map {
            TokenTree.Segment(range: Int($0.start) ..< Int($0.end), parent: $0.parent < 0 ? nil : Int($0.parent))
        })
        for (number, segment) in bin.segments.enumerated() where segment.response >= 0 {
            let first = scored.count
            for label in Int(segment.labelStart) ..< Int(segment.end) {
                // A label is predicted from the token before it: in its segment, or the last one of the segment that it continues. The
                // stream's own check holds that there is one.
                guard let row = label > Int(segment.start) ? label - 1 : tree.rowBefore(number) else { continue }
                scored.append(row: row, target: bin.tokens[label])
            }
            responses.append(Response(member: Int(segment.record), response: Int(segment.response), places: first ..< scored.count))
        }
    }
}
