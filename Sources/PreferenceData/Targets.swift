import JSON
import PortableMath
import RecordStream

/// What becomes of a rating that is not there.
public enum MissingPolicy: String, Sendable, CaseIterable {
    /// The response is left out of that dimension; a dimension with fewer than two rated responses is left out of the record.
    case mask
    /// The rating becomes 1: what the paper's code does, which so scores "not applicable" as worst.
    case floor
    /// The rating becomes the mean of the record's other ratings in that dimension.
    case mean
    /// The record is dropped.
    case drop
}

/// Ratings to target distributions: p_k = softmax(R_k / T) over the responses that take part (paper eq. 13).
public struct Targets: Sendable, Equatable {
    public var missing: MissingPolicy
    /// T > 0.
    public var temperature: Double

    public init(missing: MissingPolicy = .mask, temperature: Double = 1) {
        self.missing = missing
        self.temperature = temperature
    }

    static let floorRating = 1.0

    /// - Parameters:
    ///   - values: m x N ratings, row-major by dimension; read where `states` says rated.
    /// - Returns: nil when the policy drops the record.
    public func make(dimensions: [Text], values: [Double], states: [RatingState], responses: Int) -> Ratings? {
        var ratings = [Double](repeating: .nan, count: values.count)
        var rated = [UInt8](repeating: 0, count: values.count)
        var targets = [Double](repeating: 0, count: values.count)
        for k in dimensions.indices {
            let row = k * responses..<(k + 1) * responses
            for i in row where states[i] == .rated { (ratings[i], rated[i]) = (values[i], 1) }
            let present = row.filter { rated[$0] == 1 }
            if present.count < responses {
                switch missing {
                case .drop: return nil
                case .mask: break
                case .floor: for i in row where rated[i] == 0 { (ratings[i], rated[i]) = (Targets.floorRating, 1) }
                case .mean:
                    if present.isEmpty { break }
                    var sum = 0.0
                    for i in present { sum += ratings[i] }
                    let mean = sum / Double(present.count)
                    for i in row where rated[i] == 0 { (ratings[i], rated[i]) = (mean, 1) }
                }
            }
            let taking = row.filter { rated[$0] == 1 }
            guard taking.count >= 2 else {
                for i in row { rated[i] = 0 }
                continue
            }
            let p = ExactMath.softmax(taking.map { ratings[$0] }, temperature: temperature)
            for (value, i) in zip(p, taking) { targets[i] = value }
        }
        return Ratings(dimensions: dimensions, ratings: ratings, rated: rated, targets: targets)
    }
}
