import JSON
import Numerics
import RecordStream
import SystemIO

/// How lambda, the weight of each dimension of preference, is chosen for a record (`--lambda`).
///
/// Random weights are a function of seed, epoch and record id: resuming, resharding and other thread counts draw the same. Weights are addressed by the dimension's
/// name and renormalised over the dimensions that a record can use.
public enum LambdaSchedule: Sendable, Equatable {
    /// 1/m each.
    case uniform
    /// Dirichlet(a, .., a); a = 1 is the uniform law on the simplex.
    case dirichlet(Double)
    /// One dimension: the named one, or for each record one of its own, drawn evenly ("unimodal").
    case oneHot(Text?)
    /// Given weights in the order of the record's dimensions.
    case fixed([Double])
    /// Given weights by name; dimensions without a name here have none.
    case named([Text: Double])

    /// Tells draws of lambda from other uses of one seed.
    private static let stream: UInt32 = 0x6C61_6D62

    /// Reads `uniform`, `dirichlet:A`, `one-hot`, `one-hot:NAME`, `fixed:A,B,..` or `fixed:NAME=A,..`.
    /// - Throws: `InputError` (usage) that says what was expected.
    public init(_ text: String) throws {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let argument = parts.count > 1 ? parts[1] : nil
        switch (parts[0], argument) {
        case ("uniform", nil): self = .uniform
        case ("one-hot", nil): self = .oneHot(nil)
        case ("one-hot", let name?) where !name.isEmpty: self = .oneHot(Text(name))
        case ("dirichlet", let argument?):
            guard let concentration = Double(argument), concentration > 0, concentration.isFinite else {
                throw LambdaSchedule.usage("--lambda \(text): expected a number above 0 after dirichlet:")
            }
            self = .dirichlet(concentration)
        case ("fixed", let argument?): self = try LambdaSchedule.fixed(argument, text)
        default:
            throw LambdaSchedule.usage("--lambda \(text): expected uniform, dirichlet:A, one-hot, one-hot:NAME, fixed:A,B,.. or fixed:NAME=A,..")
        }
    }

    private static func fixed(_ argument: String, _ text: String) throws -> LambdaSchedule {
        let items = argument.split(separator: ",", omittingEmptySubsequences: false).map { $0.split(separator: "=", omittingEmptySubsequences: false).map(String.init) }
        let weights = items.map { $0.last.flatMap(Double.init) ?? -1 }
        let isNamed = items.allSatisfy { $0.count == 2 && !$0[0].isEmpty }
        guard weights.allSatisfy({ $0 >= 0 && $0.isFinite }), weights.contains(where: { $0 > 0 }), isNamed || items.allSatisfy({ $0.count == 1 }) else {
            throw usage("--lambda \(text): expected weights of at least 0, not all 0, as fixed:A,B,.. or fixed:NAME=A,..")
        }
        guard isNamed else { return .fixed(weights) }
        let named = Dictionary(zip(items.map { Text($0[0]) }, weights)) { first, _ in first }
        guard named.count == items.count else { throw usage("--lambda \(text): a dimension stands twice") }
        return .named(named)
    }

    private static func usage(_ message: String) -> InputError { InputError(message, status: .usage) }

    /// The text that reads back as this schedule.
    public var description: String {
        switch self {
        case .uniform: "uniform"
        case .dirichlet(let concentration): "dirichlet:\(concentration)"
        case .oneHot(let name): name.map { "one-hot:\($0)" } ?? "one-hot"
        case .fixed(let weights): "fixed:" + weights.map { "\($0)" }.joined(separator: ",")
        case .named(let weights): "fixed:" + weights.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        }
    }

    /// The weights of a record's dimensions: 0 for those not in use, a sum of 1 over the others; nil when those have no weight together.
    /// - Parameter id: the record's id, 32 hexadecimal digits.
    public func weights(dimensions: [Text], inUse: [Bool], id: Text, epoch: Int, seed: UInt64) throws -> [Double]? {
        LambdaDPO.weightsInUse(try rawWeights(dimensions, inUse, id, epoch, seed), inUse)
    }

    private func rawWeights(_ dimensions: [Text], _ inUse: [Bool], _ id: Text, _ epoch: Int, _ seed: UInt64) throws -> [Double] {
        switch self {
        case .uniform: return dimensions.map { _ in 1 }
        case .dirichlet(let concentration):
            var random = try LambdaSchedule.random(id, epoch, seed)
            return random.dirichlet(concentration: concentration, count: dimensions.count)
        case .oneHot(let name?): return dimensions.map { $0 == name ? 1 : 0 }
        case .oneHot(nil):
            let candidates = inUse.indices.filter { inUse[$0] }
            var random = try LambdaSchedule.random(id, epoch, seed)
            let chosen = candidates.isEmpty ? -1 : candidates[random.below(candidates.count)]
            return dimensions.indices.map { $0 == chosen ? 1 : 0 }
        case .fixed(let weights):
            guard weights.count == dimensions.count else {
                throw InputError("--lambda \(description) gives \(weights.count) weights, record \(id) has \(dimensions.count) dimensions (\(dimensions.map(String.init(describing:)).joined(separator: ", "))); name them: fixed:NAME=A,..")
            }
            return weights
        case .named(let weights): return dimensions.map { weights[$0] ?? 0 }
        }
    }

    private static func random(_ id: Text, _ epoch: Int, _ seed: UInt64) throws -> CounterRandom {
        let digits = String(describing: id)
        guard digits.utf8.count == 32, let high = UInt64(digits.prefix(16), radix: 16), let low = UInt64(digits.suffix(16), radix: 16) else {
            throw InputError("record id \"\(id)\": expected 32 hexadecimal digits, from which lambda is drawn")
        }
        return CounterRandom(seed: seed, stream: stream, epoch: UInt64(epoch), record: (high, low))
    }
}

extension LambdaSchedule {
    /// The weights of a bin's record.
    func weights(for member: PackedBin.Member, epoch: Int, seed: UInt64) throws -> RecordLambda {
        let inUse = LambdaDPO.dimensionsInUse(member.ratings, responses: member.responseCount)
        let weights = try weights(dimensions: member.ratings.dimensions, inUse: inUse, id: member.id, epoch: epoch, seed: seed)
        return RecordLambda(weights: weights ?? inUse.map { _ in 0 }, isUsed: weights != nil)
    }
}
