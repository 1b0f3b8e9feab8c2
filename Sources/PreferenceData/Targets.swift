import JSON
import PortableMath
import RecordStream

/// What becomes of a rating that is not there.
public enum MissingPolicy: String, Sendable, CaseIterable {
    /// The response is left out of that dimension; a dimension with fewer than two rated responses is left out of the record.
    case mask
    /// The rating becomes the lowest that there is, 1 in UltraFeedback: what the paper's code does, which so scores "not applicable" as worst.
    case floor
    /// The rating becomes the mean of the record's other ratings in that dimension.
    case mean
    /// The record is dropped.
    case drop
}

/// Ratings to target distributions: p_k = softmax(R_k / T_k) over the responses that take part (paper eq. 13).
public struct Targets: Sendable, Equatable {
    public var missing: MissingPolicy
    /// T > 0 of each dimension.
    public var temperature: ByDimension<Double>

    public init(missing: MissingPolicy = .mask, temperature: Double = 1) {
        self.init(missing: missing, temperature: ByDimension(temperature))
    }

    public init(missing: MissingPolicy, temperature: ByDimension<Double>) {
        self.missing = missing
        self.temperature = temperature
    }

    /// - Returns: nil when the policy drops the record.
    func make(_ raw: RawPreference) -> Ratings? {
        let responses = raw.responses.count
        var ratings = [Double](repeating: .nan, count: raw.values.count)
        var rated = [UInt8](repeating: 0, count: raw.values.count)
        var targets = [Double](repeating: 0, count: raw.values.count)
        for k in raw.dimensions.indices {
            let row = k * responses..<(k + 1) * responses
            for i in row where raw.states[i] == .rated { (ratings[i], rated[i]) = (raw.values[i], 1) }
            let present = rated[row].count { $0 == 1 }
            if present < responses {
                switch missing {
                case .drop: return nil
                case .mask: break
                case .floor: for i in row where rated[i] == 0 { (ratings[i], rated[i]) = (raw.ranges[k].low, 1) }
                case .mean:
                    if present == 0 { break }
                    var sum = 0.0
                    for i in row where rated[i] == 1 { sum += ratings[i] }
                    let mean = sum / Double(present)
                    for i in row where rated[i] == 0 { (ratings[i], rated[i]) = (mean, 1) }
                }
            }
            guard rated[row].count(where: { $0 == 1 }) >= 2 else {
                for i in row { rated[i] = 0 }
                continue
            }
            let temperature = temperature[raw.dimensions[k]]
            guard rated[row].contains(0) else {
                for i in row { targets[i] = ratings[i] }
                ExactMath.softmax(&targets, in: row, temperature: temperature)
                continue
            }
            let taking = row.filter { rated[$0] == 1 }
            for (value, i) in zip(ExactMath.softmax(taking.map { ratings[$0] }, temperature: temperature), taking) { targets[i] = value }
        }
        return Ratings(dimensions: raw.dimensions, ratings: ratings, rated: rated, targets: targets)
    }
}
