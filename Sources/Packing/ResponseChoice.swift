import RecordStream

/// A response that is better than another, both by their numbers in the record.
public struct ResponsePair: Sendable, Equatable {
    public var better: Int, worse: Int

    public init(better: Int, worse: Int) {
        self.better = better
        self.worse = worse
    }
}

/// Which pairs layout `pairs` makes of a record. Responses are compared by the mean of their targets over the dimensions in use, among those that are rated in all of them: others
/// have no comparable mean.
public enum PairRule: String, Sendable, CaseIterable {
    /// The best against the worst; of equal ones the first.
    case bestWorst = "best-worst"
    /// Records that came as a pair, and no others.
    case given
    /// Every two of unequal means.
    case all
}

/// Which responses layout `sft` imitates.
public enum AnswerRule: String, Sendable, CaseIterable {
    /// The one with the greatest mean target, as in `PairRule`; the only one of a record without others.
    case best
    case all
}

/// The responses that a layout uses of a record, or why it uses none.
enum ResponseChoice {
    case all
    case some([Int], pairs: [ResponsePair])
    case none(DropReason)

    /// - Parameter count: N.
    init(_ ratings: RatingsView, responses count: Int, _ options: PackingOptions) {
        switch options.layout {
        case .sharedPrefix, .rows16:
            self = count < 2 ? .none(.fewerThanTwoResponses) : ratings.hasTargets ? .all : .none(.noDimension)
        case .sft where count == 0: self = .none(.noResponse)
        case .sft where count == 1 || options.answers == .all: self = .all
        case .sft:
            let best = ResponseChoice.first(of: ratings.meanTargets(responses: count), by: >)
            self = best.map { .some([$0], pairs: []) } ?? .none(ratings.hasTargets ? .incomparable : .noDimension)
        case .pairs where count < 2: self = .none(.fewerThanTwoResponses)
        case .pairs where count > 2 && options.pairs == .given: self = .none(.notAPair)
        case .pairs: self = ratings.hasTargets ? ResponseChoice.pairs(ratings, responses: count, options.pairs) : .none(.noDimension)
        }
    }

    /// The pair of `--pairs best-worst`.
    static func bestAndWorst(_ ratings: Ratings, responses: Int) -> ResponseChoice {
        guard responses >= 2 else { return .none(.fewerThanTwoResponses) }
        return ratings.withView { $0.hasTargets ? pairs($0, responses: responses, .bestWorst) : .none(.noDimension) }
    }

    private static func pairs(_ ratings: RatingsView, responses: Int, _ rule: PairRule) -> ResponseChoice {
        let means = ratings.meanTargets(responses: responses)
        let comparable = means.indices.filter { means[$0] != nil }
        guard comparable.count >= 2 else { return .none(.incomparable) }
        var pairs: [ResponsePair] = []
        for (place, i) in comparable.enumerated() {
            for j in comparable[(place + 1)...] {
                guard let a = means[i], let b = means[j], abs(a - b) > tolerance else { continue }
                pairs.append(a > b ? ResponsePair(better: i, worse: j) : ResponsePair(better: j, worse: i))
            }
        }
        guard !pairs.isEmpty else { return .none(.tied) }
        if rule != .all, let best = first(of: means, by: >), let worst = first(of: means, by: <) { pairs = [ResponsePair(better: best, worse: worst)] }
        let used = Set(pairs.flatMap { [$0.better, $0.worse] }).sorted()
        let places = Dictionary(uniqueKeysWithValues: used.enumerated().map { ($1, $0) })
        return .some(used, pairs: pairs.map { ResponsePair(better: places[$0.better] ?? 0, worse: places[$0.worse] ?? 0) })
    }

    /// Sums of targets that are equal in mathematics may differ in their last bits.
    private static let tolerance = 1e-12

    /// The first response whose mean no other exceeds by `order`.
    private static func first(of means: [Double?], by order: (Double, Double) -> Bool) -> Int? {
        var found: (response: Int, mean: Double)?
        for case (let response, let mean?) in means.enumerated() {
            if found.map({ abs(mean - $0.mean) > tolerance && order(mean, $0.mean) }) ?? true { found = (response, mean) }
        }
        return found?.response
    }
}

extension RatingsView {
    var hasTargets: Bool { targets.contains { $0 > 0 } }

    /// N means of targets over the dimensions in use; nil for a response that one of them does not rate.
    func meanTargets(responses: Int) -> [Double?] {
        let rows = (0 ..< dimensionCount).map { $0 * responses ..< ($0 + 1) * responses }.filter { targets[$0].contains { $0 > 0 } }
        return (0 ..< responses).map { response in
            guard !rows.isEmpty, rows.allSatisfy({ rated[$0.lowerBound + response] == 1 }) else { return nil }
            return rows.reduce(0) { $0 + targets[$1.lowerBound + response] } / Double(rows.count)
        }
    }
}

extension Ratings {
    /// Of some of the N responses. Targets are a softmax, so those of a part are in the same proportions; a dimension that rates fewer than two of them has none.
    func keeping(_ kept: [Int], of responses: Int) -> Ratings {
        func columns<Value>(_ matrix: [Value]) -> [Value] { dimensions.indices.flatMap { row in kept.map { matrix[row * responses + $0] } } }
        var part = Ratings(dimensions: dimensions, ratings: columns(ratings), rated: columns(rated), targets: columns(targets))
        for row in dimensions.indices {
            let cells = row * kept.count ..< (row + 1) * kept.count
            let sum = part.targets[cells].reduce(0, +), isInUse = part.rated[cells].count { $0 == 1 } >= 2 && sum > 0
            for cell in cells { part.targets[cell] = isInUse ? part.targets[cell] / sum : 0 }
        }
        return part
    }
}

extension TokensRecord {
    /// With some of its responses, in their order, and what belongs to them.
    func keeping(_ kept: [Int]) -> TokensRecord {
        var part = self
        part.ratings = ratings.keeping(kept, of: responses.count)
        part.responses = kept.map { responses[$0] }
        if prompts.count > 1 { part.prompts = kept.map { prompts[$0] } }
        return part
    }
}
