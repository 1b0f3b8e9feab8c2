import JSON
import SystemIO

/// Lambda: what each dimension weighs in the overall figures. Only the proportions matter: a record's weights are renormalised over the dimensions that it
/// has a distribution in, as training does.
public enum DimensionWeights: Sendable, Equatable {
    case equal
    /// In the order of a record's dimensions.
    case byOrder([Double])
    /// Dimensions without a weight get 0.
    case byName([Text: Double])

    /// m weights of a record's dimensions. Throws when their number is another than that of weights given by order.
    func values(for dimensions: [Text]) throws -> [Double] {
        switch self {
        case .equal: return dimensions.map { _ in 1 }
        case .byName(let weights): return dimensions.map { weights[$0] ?? 0 }
        case .byOrder(let weights):
            guard weights.count == dimensions.count else {
                throw InputError("lambda gives \(weights.count) weights, a record has \(dimensions.count) dimensions (\(dimensions.map(\.description).joined(separator: ", "))); give weights by name")
            }
            return weights
        }
    }

    /// The first dimension that has a weight and is none of `known`: a misspelt name would change the figures in silence.
    func unknownName(among known: [Text]) -> Text? {
        guard case .byName(let weights) = self else { return nil }
        return weights.keys.sorted().first { !known.contains($0) }
    }
}
