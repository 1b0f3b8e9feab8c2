import JSON
import RecordStream

extension DataStatistics {
    /// `{"sources": {SOURCE: ...}, "all": ...}`, each as `SourceStatistics.json` has it.
    var json: JSONValue {
        .object([("sources", .object(bySource.map { JSONMember($0.name, $0.statistics.json) })), ("all", all.json)])
    }
}

extension SourceStatistics {
    var json: JSONValue {
        .object([
            ("records", JSONValue(records)), ("prompt_bytes", promptBytes.json(unit: 1)), ("response_bytes", responseBytes.json(unit: 1)),
            ("dimensions", .object(dimensions.map { JSONMember($0.name, $0.json) })), ("correlations", .array(correlationsJSON)),
            ("dimensions_passed_over", JSONValue(passedOver)),
        ])
    }

    private var correlationsJSON: [JSONValue] {
        dimensions.indices.flatMap { b in
            (0 ..< b).map { a in
                let (responses, r) = correlation(a, b)
                return .object([
                    ("dimensions", .array([.string(dimensions[a].name), .string(dimensions[b].name)])), ("responses", JSONValue(responses)),
                    ("r", r.map { .number($0) } ?? .null),
                ])
            }
        }
    }
}

extension DimensionStatistics {
    var json: JSONValue {
        func number(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
        return .object([
            ("rated", JSONValue(rated)), ("mean", number(mean)), ("standard_deviation", number(standardDeviation)),
            ("histogram", .array(histogram.bars.map { bar in
                let place: [(String, JSONValue)] = bar.low == bar.high ? [("value", .number(bar.low))] : [("from", .number(bar.low)), ("to", .number(bar.high))]
                return .object(place + [("count", JSONValue(bar.count))])
            })),
            ("pairs", JSONValue(pairs)), ("tied_pairs", JSONValue(tiedPairs)), ("tied_share", number(tiedShare)),
            ("target_entropy", .object([
                ("targets", JSONValue(targets)), ("mean", number(meanEntropy)), ("mean_ln_n", number(meanEvenEntropy)),
                ("share_of_ln_n", number(relativeEntropy)),
                ("quantiles", milliNats.quantilesJSON(unit: 1000)),
            ])),
        ])
    }
}

extension LengthDistribution {
    static let quantiles = [("p5", 0.05), ("p25", 0.25), ("p50", 0.5), ("p75", 0.75), ("p95", 0.95), ("p99", 0.99)]

    /// - Parameter unit: how many of what was counted make one of what is told; with 1 numbers stay integers.
    func json(unit: Int) -> JSONValue {
        .object([("count", JSONValue(count)), ("sum", JSONValue(sum)), ("mean", count == 0 ? .null : .number(mean)), ("quantiles", quantilesJSON(unit: unit))])
    }

    /// Shortest, longest and what is between; null where there are none.
    func quantilesJSON(unit: Int) -> JSONValue {
        guard count > 0 else { return .null }
        func shown(_ value: Int) -> JSONValue { unit == 1 ? JSONValue(value) : .number(Double(value) / Double(unit)) }
        return .object([("min", shown(minimum))] + LengthDistribution.quantiles.map { ($0.0, shown(quantile($0.1))) } + [("max", shown(maximum))])
    }
}
