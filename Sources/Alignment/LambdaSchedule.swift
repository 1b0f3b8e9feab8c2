import Checksums
import JSON
import PortableMath
import SystemIO

/// How the weights lambda of the dimensions are chosen for a record. A pure function of the schedule, a seed, an epoch (or step), the record's
/// id and its dimensions: resuming, resharding, or another number of threads or ranks gives the same weights.
public struct LambdaSchedule: Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
        /// 1/m each (the paper's appendix B).
        case uniform
        /// Given weights, in the order of the record's dimensions.
        case fixedByOrder([Double])
        /// Given weights by name; dimensions without one get 0.
        case fixedByName([Text: Double])
        /// Dirichlet(a, .., a); a = 1 is the uniform law on the simplex (paper eq. 23).
        case dirichlet(Double)
        /// Softmax of independent standard normals.
        case gaussian
        /// One dimension, drawn for each record.
        case oneHot
        /// One dimension, always the same.
        case oneHotNamed(Text)
    }

    public let kind: Kind
    /// As it was given, for logs and provenance.
    public let description: String

    /// Reads `uniform`, `fixed:0.4,0.3,0.2,0.1`, `fixed:honesty=1,helpfulness=3`, `dirichlet:1`, `gaussian`, `one-hot`, `one-hot:NAME`.
    /// Throws `InputError` (usage) that says what was expected.
    public init(_ text: String) throws {
        description = text
        let colon = text.firstIndex(of: ":")
        let name = String(text[..<(colon ?? text.endIndex)])
        let argument = colon.map { String(text[text.index(after: $0)...]) }
        switch (name, argument) {
        case ("uniform", nil): kind = .uniform
        case ("gaussian", nil): kind = .gaussian
        case ("one-hot", nil): kind = .oneHot
        case ("one-hot", let dimension?) where !dimension.isEmpty: kind = .oneHotNamed(Text(dimension))
        case ("dirichlet", let value):
            guard let a = value.flatMap(LambdaSchedule.number), a > 0 else {
                throw LambdaSchedule.usage("\"\(text)\": expected dirichlet:A with a concentration A above 0, as in dirichlet:1")
            }
            kind = .dirichlet(a)
        case ("fixed", let weights?): kind = try LambdaSchedule.fixed(weights, text)
        default:
            throw LambdaSchedule.usage("no lambda schedule \"\(text)\"; there are uniform, fixed:W,W,.., fixed:NAME=W,.., dirichlet:A, gaussian, one-hot, one-hot:NAME")
        }
    }

    /// The weights of a record's dimensions: not negative, summing to 1, 0 for a dimension that is left out of the record.
    ///
    /// - Parameters:
    ///   - epoch: the epoch, or the step where weights are drawn per step.
    ///   - record: the record's id, 32 hexadecimal digits.
    ///   - dimensions: m names.
    ///   - present: m; false for a dimension without targets in this record.
    /// - Returns: nil when no dimension that the schedule asks for is present.
    /// - Throws: `InputError` when weights given by order do not fit the number of dimensions.
    public func weights(seed: UInt64, epoch: UInt64, record: Text, dimensions: [Text], present: [Bool]) throws -> [Double]? {
        guard dimensions.count == present.count, present.contains(true) else { return nil }
        switch kind {
        case .uniform: return LambdaSchedule.normalised(present.map { $0 ? 1 : 0 })
        case .fixedByOrder(let weights):
            guard weights.count == dimensions.count else {
                throw InputError("lambda \(description) gives \(weights.count) weights, but record \(record) has \(dimensions.count) dimensions (\(dimensions.map(\.description).joined(separator: ", "))); give weights by name")
            }
            return LambdaSchedule.normalised(zip(weights, present).map { $1 ? $0 : 0 })
        case .fixedByName(let weights):
            return LambdaSchedule.normalised(zip(dimensions, present).map { $1 ? weights[$0] ?? 0 : 0 })
        case .oneHotNamed(let name):
            return LambdaSchedule.normalised(zip(dimensions, present).map { $1 && $0 == name ? 1 : 0 })
        case .dirichlet, .gaussian, .oneHot:
            return draw(seed: seed, epoch: epoch, record: record, present: present)
        }
    }

    /// The dimensions that the schedule names; data without one of them is a slip of the pen.
    public var namedDimensions: [Text] {
        switch kind {
        case .fixedByName(let weights): weights.keys.sorted()
        case .oneHotNamed(let name): [name]
        default: []
        }
    }

    /// "lamb": tells these draws from others with the same seed.
    private static let stream: UInt32 = 0x6C61_6D62

    /// One number is drawn for every dimension, present or not, so that a missing dimension does not change the draws of the others; what is
    /// left is then normalised over those present. For Dirichlet that is again Dirichlet on the smaller simplex.
    private func draw(seed: UInt64, epoch: UInt64, record: Text, present: [Bool]) -> [Double] {
        var random = CounterRandom(seed: seed, stream: LambdaSchedule.stream, epoch: epoch, record: LambdaSchedule.number(ofRecord: record))
        let scores = present.map { isPresent -> Double in
            let score = switch kind {
            case .dirichlet(let a): random.logGamma(shape: a)
            case .gaussian: random.normal()
            default: random.uniform()
            }
            return isPresent ? score : -.infinity
        }
        guard kind == .oneHot else { return ExactMath.softmax(scores) }
        var best = 0
        for k in scores.indices where scores[k] > scores[best] { best = k }
        return scores.indices.map { $0 == best ? 1 : 0 }
    }

    private static func normalised(_ weights: [Double]) -> [Double]? {
        var sum = 0.0
        for weight in weights { sum += weight }
        return sum > 0 ? weights.map { $0 / sum } : nil
    }

    /// The 128 bits of an id; of a digest of it when it is no 32 hexadecimal digits.
    private static func number(ofRecord id: Text) -> (UInt64, UInt64) {
        if id.count == 32, let high = UInt64(String(decoding: id.bytes[..<16], as: UTF8.self), radix: 16),
           let low = UInt64(String(decoding: id.bytes[16...], as: UTF8.self), radix: 16) { return (high, low) }
        let digest = SHA256.digest(of: id.bytes)
        func word(_ at: Int) -> UInt64 { digest[at..<at + 8].reduce(0) { $0 << 8 | UInt64($1) } }
        return (word(0), word(8))
    }

    private static func fixed(_ weights: String, _ text: String) throws -> Kind {
        let fields = weights.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        var ordered: [Double] = [], named: [Text: Double] = [:]
        var sum = 0.0
        for field in fields {
            let equals = field.lastIndex(of: "=")
            let digits = equals.map { String(field[field.index(after: $0)...]) } ?? field
            guard let weight = number(digits), weight >= 0 else {
                throw usage("\"\(text)\": \"\(field)\" is no weight; expected fixed:W,W,.. or fixed:NAME=W,NAME=W with weights of 0 or more")
            }
            if let equals {
                guard equals != field.startIndex, named.updateValue(weight, forKey: Text(String(field[..<equals]))) == nil else {
                    throw usage("\"\(text)\": a dimension without a name, or one that stands twice")
                }
            } else {
                ordered.append(weight)
            }
            sum += weight
        }
        guard ordered.isEmpty || named.isEmpty else { throw usage("\"\(text)\": weights by order and by name cannot be mixed") }
        guard sum > 0, sum.isFinite else { throw usage("\"\(text)\": the weights sum to \(sum), expected a sum above 0") }
        return named.isEmpty ? .fixedByOrder(ordered) : .fixedByName(named)
    }

    /// A finite decimal number.
    private static func number(_ text: String) -> Double? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || ".eE+-".utf8.contains($0) }), let value = Double(text), value.isFinite else { return nil }
        return value
    }

    private static func usage(_ message: String) -> InputError { InputError(message, status: .usage) }
}
