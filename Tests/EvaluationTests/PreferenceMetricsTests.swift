import JSON
import PortableMath
import RecordStream
import RunDatabase
import SystemIO
import TestSupport
import Testing

@testable import Evaluation

/// Against numpy and scipy: `fixtures/preference/make_metrics.py`.
@Suite struct PreferenceMetricsTests {
    static let reference = Result { try JSON.parse(readWholeFile(Fixtures.path("preference/metrics.json"))) }

    static func records() throws -> [PreferenceRecord] {
        func numbers(_ value: JSONValue?) throws -> [Double] { try #require(value?.array).map { $0.double ?? .nan } }
        return try #require(reference.get()["records"]?.array).map { row in
            let ratings = Ratings(
                dimensions: try #require(row["dimensions"]?.array).compactMap(\.text), ratings: try numbers(row["ratings"]),
                rated: try numbers(row["rated"]).map { UInt8($0) }, targets: try numbers(row["targets"]))
            return PreferenceRecord(
                ratings: ratings, policy: try numbers(row["policy"]), reference: try numbers(row["reference"]), tokenCounts: try numbers(row["tokens"]).map { UInt32($0) })
        }
    }

    @Test(arguments: 0 ..< 4) func equalsNumpyAndScipy(index: Int) throws {
        let reference = try Self.reference.get()
        let expected = try #require(reference["figures"]?[index])
        var options = PreferenceMetrics.Options()
        options.beta = try #require(reference["beta"]?.double)
        options.logProb = try #require(expected["log_prob"]?.string.flatMap(LogProbKind.init))
        options.weights = .byName(Dictionary(uniqueKeysWithValues: try #require(expected["weights"]?.object).map { ($0.key, $0.value.double ?? .nan) }))
        options.bootstrap = Bootstrap(seed: UInt64(try #require(reference["seed"]?.int)), resamples: try #require(reference["resamples"]?.int))
        // These are equal weights.
        if index == 1 { options.weights = .equal }
        var metrics = PreferenceMetrics(options: options)
        for record in try Self.records() { try metrics.add(record) }
        var found = 0
        for result in metrics.results() {
            let place = "case \(index), \(result.dimension) \(result.metric)"
            let columns = try #require(expected["results"]?[result.dimension]?[result.metric]?.array, "\(place)")
            for (name, value, expected) in zip3(["value", "low", "high", "chance"], [result.value, result.low, result.high, result.chance], columns) {
                switch (value, expected.double) {
                case (nil, nil): break
                case (let value?, let expected?): #expect(abs(value - expected) <= 1e-12 * max(1, abs(expected)), "\(place): \(name) \(value), expected \(expected)")
                default: Issue.record("\(place): \(name) is \(String(describing: value)), expected \(expected)")
                }
            }
            #expect(Double(result.count) == columns[4].double, "\(place)")
            found += 1
        }
        #expect(found == (try #require(expected["results"]?.object).map { $0.value.object?.count ?? 0 }.reduce(0, +)))
    }

    private func zip3<A, B, C>(_ a: [A], _ b: [B], _ c: [C]) -> [(A, B, C)] { zip(a, zip(b, c)).map { ($0, $1.0, $1.1) } }

    /// By order the weights are those of each record's own dimensions, whatever their names.
    @Test func weightsByOrder() throws {
        #expect(try DimensionWeights.byOrder([3, 1]).values(for: ["b", "a"]) == [3, 1])
        #expect(try DimensionWeights.byName(["a": 3]).values(for: ["b", "a"]) == [0, 3])
        #expect(try DimensionWeights.equal.values(for: ["b", "a"]) == [1, 1])
        #expect(throws: InputError("lambda gives 2 weights, a record has 1 dimensions (b); give weights by name")) { try DimensionWeights.byOrder([3, 1]).values(for: ["b"]) }
    }

    /// Before training every r is 0: nothing is claimed but ties, and every loss is ln N.
    @Test func anUntrainedPolicyIsAllTies() throws {
        var metrics = PreferenceMetrics()
        for var record in try Self.records() {
            record.policy = record.reference
            try metrics.add(record, divergence: 0)
        }
        #expect(metrics.recordsOfEqualReward == metrics.records)
        for result in metrics.results() {
            let place = "\(result.dimension) \(result.metric)"
            switch PreferenceMetric(rawValue: result.metric) {
            case .rewardAccuracy, .topOne: #expect(result.value.isNaN && result.low == nil && result.count == 0, "\(place)")
            case .rewardTies, .topTies: #expect(result.value == Double(result.count) && result.count > 0, "\(place)")
            case .loss, .lossGain, .divergence, .policyEntropy: #expect(abs(result.value - (result.chance ?? .nan)) < 1e-14, "\(place)")
            case .logRatio, .logRatioPerToken, .referenceDivergence: #expect(result.value == 0 && result.low == 0 && result.high == 0, "\(place)")
            case .rewardLengthCorrelation: #expect(result.value.isNaN && result.low == nil, "\(place)")
            case .ratingTies, .lengthCorrelation: break
            case nil: Issue.record("unknown metric \(result.metric)")
            }
        }
    }

    @Test func nothingAtAll() throws {
        let results = PreferenceMetrics().results()
        #expect(results.count == 13)
        #expect(results.allSatisfy { $0.low == nil && $0.high == nil && $0.count == 0 })
        // One record: figures without intervals from a resample, shares with the widest.
        var metrics = PreferenceMetrics()
        try metrics.add(PreferenceRecord(
            ratings: Ratings(dimensions: ["d"], ratings: [1, 2], rated: [1, 1], targets: [0.25, 0.75]), policy: [-2, -1], reference: [-2, -2], tokenCounts: [1, 0]))
        let one = Dictionary(uniqueKeysWithValues: metrics.results().filter { $0.dimension == "d" }.map { ($0.metric, $0) })
        #expect(one["reward_accuracy"]?.value == 1)
        #expect(one["reward_accuracy"]?.low == Interval.wilson(successes: 1, trials: 1).low)
        #expect(one["loss"]?.low == nil && one["loss"]?.count == 1)
    }

    /// What leaves the range of numbers is refused, and counts nowhere: sums over it would be infinite or undefined.
    @Test func whatIsNotFiniteIsRefused() throws {
        func record(_ policy: [Double], _ reference: [Double]) -> PreferenceRecord {
            PreferenceRecord(
                ratings: Ratings(dimensions: ["d"], ratings: [1, 2], rated: [1, 1], targets: [0.25, 0.75]), policy: policy, reference: reference, tokenCounts: [3, 4])
        }
        var metrics = PreferenceMetrics(options: .init(beta: 1e6))
        let cases: [([Double], [Double], String)] = [
            ([-.infinity, -1], [-1, -1], "-inf, 0.0"), ([.nan, -1], [-1, -1], "nan, 0.0"), ([-1, -.infinity], [-1, -.infinity], "0.0, nan"), ([-1e303, -1], [-1, -1], "-inf, 0.0"),
            // Each alone is finite, their difference is not.
            ([-1e302, -1], [-1, -1e302], "-1e+308, 1e+308"),
        ]
        for (policy, reference, shown) in cases {
            #expect(throws: InputError("r = beta (s - s_ref) of its responses is \(shown), too large to compute with; the log-probabilities are damaged")) {
                try metrics.add(record(policy, reference))
            }
        }
        #expect(metrics.records == 0 && metrics.results().allSatisfy { $0.count == 0 })
        try metrics.add(record([-1e300, -1], [-1, -1]))
        #expect(metrics.results().allSatisfy { !$0.value.isInfinite && $0.low?.isInfinite != true && $0.high?.isInfinite != true })
    }

    /// A finding needs a finite figure between finite bounds.
    @Test func infinityIsNoFinding() {
        func result(_ value: Double, _ low: Double, _ high: Double) -> EvaluationResult {
            EvaluationResult(task: "preference", metric: "loss_gain", split: "", dimension: "", value: value, low: low, high: high, chance: 0, count: 5)
        }
        #expect(Reading(result(1, 0.5, 2)) == .aboveChance && Reading(result(-1, -2, -0.5)) == .belowChance)
        #expect(Reading(result(.infinity, 0.5, .infinity)) == .notFinite && Reading(result(-.infinity, -.infinity, -1)) == .notFinite && Reading(result(.nan, 1, 2)) == .undefined)
        #expect(Reading(result(1, 0.5, .infinity)) == .none && Reading(result(-1, -.infinity, -0.5)) == .none)
        #expect(Change(before: result(0, -1, 1), after: result(3, 2, 4)) == .rose)
        #expect(Change(before: result(0, -1, 1), after: result(.infinity, 2, .infinity)) == .unknown && Change(before: result(0, -.infinity, 1), after: result(3, 2, 4)) == .unknown)
    }
}

@Suite struct StatisticsTests {
    @Test func wilsonEqualsScipy() throws {
        let rows = try #require(try PreferenceMetricsTests.reference.get()["wilson"]?.array)
        for row in rows {
            let successes = try #require(row["successes"]?.double), trials = try #require(row["trials"]?.double)
            let interval = Interval.wilson(successes: successes, trials: trials)
            #expect(abs(interval.low - (row["low"]?.double ?? .nan)) < 1e-14 && abs(interval.high - (row["high"]?.double ?? .nan)) < 1e-14, "\(successes) of \(trials)")
        }
        #expect(!Interval.wilson(successes: 0, trials: 0).isKnown)
    }

    /// With independent observations (one pair a record) the clustered interval is Wilson's own, but for the factor n / (n - 1).
    @Test func oneObservationARecord() {
        var ratio = ClusteredRatio()
        for record in 0 ..< 100 { ratio.add(record < 70 ? 1 : 0, of: 1, record: record) }
        let expected = Interval.wilson(successes: 0.7 * 99, trials: 99)
        #expect(abs(ratio.shareInterval.low - expected.low) < 1e-12 && abs(ratio.shareInterval.high - expected.high) < 1e-12)
    }

    /// Six pairs a record that always agree are worth one each.
    @Test func dependentPairsCountOnce() {
        var one = ClusteredRatio(), six = ClusteredRatio()
        for record in 0 ..< 40 {
            one.add(record % 4 == 0 ? 0 : 1, of: 1, record: record)
            six.add(record % 4 == 0 ? 0 : 6, of: 6, record: record)
        }
        #expect(six.total == 240 && abs(one.shareInterval.low - six.shareInterval.low) < 1e-12)
    }

    /// Held to its promise by simulation: records whose pairs share a mood; about 95 % of intervals cover the truth.
    @Test func shareIntervalCovers() {
        var covered = 0
        let trials = 2000
        for trial in 0 ..< trials {
            var generator = CounterRandom(seed: 3, epoch: UInt64(trial))
            var ratio = ClusteredRatio()
            for record in 0 ..< 60 {
                // The mean over moods is 0.7: 0.5 + 0.4 u.
                let mood = 0.5 + 0.4 * generator.uniform()
                let pairs = 1 + generator.below(6)
                ratio.add(Double((0 ..< pairs).count { _ in generator.uniform() < mood }), of: Double(pairs), record: record)
            }
            if ratio.shareInterval.contains(0.7) { covered += 1 }
        }
        #expect((0.93 ... 0.97).contains(Double(covered) / Double(trials)), "\(covered) of \(trials)")
    }

    @Test func bootstrapCovers() {
        var covered = 0
        let trials = 300
        for trial in 0 ..< trials {
            var generator = CounterRandom(seed: 4, epoch: UInt64(trial))
            var ratio = ClusteredRatio()
            for record in 0 ..< 80 { ratio.add(generator.normal() + 2, of: 1, record: record) }
            let interval = Bootstrap(seed: UInt64(trial), resamples: 300).intervals(records: 80, count: 1) { [ratio.resampled($0)] }[0]
            if interval.contains(2) { covered += 1 }
        }
        #expect((0.90 ... 0.98).contains(Double(covered) / Double(trials)), "\(covered) of \(trials)")
    }

    /// The fast correlation (sorted once, weighted ranks) against one that writes every resample out.
    @Test(arguments: 0 ..< 20) func weightedRanksEqualARealResample(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let n = 30
        let x = (0 ..< n).map { _ in Double.random(in: 0 ..< 8, using: &generator).rounded() }
        let y = (0 ..< n).map { _ in Double.random(in: 0 ..< 8, using: &generator).rounded() }
        let records = (0 ..< n).map { $0 / 3 }
        let times = (0 ..< 10).map { _ in UInt32.random(in: 0 ... 3, using: &generator) }
        let fast = RankCorrelation(x: x, y: y, records: records).resampled(times)
        let members = (0 ..< n).flatMap { [Int](repeating: $0, count: Int(times[records[$0]])) }
        let plain = RankCorrelation(x: members.map { x[$0] }, y: members.map { y[$0] }, records: members.map { _ in 0 }).value
        #expect(abs(fast - plain) < 1e-12, "seed \(seed)")
    }

    @Test func quantiles() {
        #expect(Bootstrap.quantile([1, 2, 3, 4], 0.5) == 2.5)
        #expect(Bootstrap.quantile([1, 2, 3, 4], 1) == 4)
        #expect(Bootstrap.quantile([5], 0.025) == 5)
        // The same for any seed again, another for another.
        let ratio = { var ratio = ClusteredRatio(); for i in 0 ..< 50 { ratio.add(Double(i), of: 1, record: i) }; return ratio }()
        func interval(_ seed: UInt64) -> Interval { Bootstrap(seed: seed, resamples: 100).intervals(records: 50, count: 1) { [ratio.resampled($0)] }[0] }
        #expect(interval(1) == interval(1) && interval(1) != interval(2))
    }

    /// The divergence is a mean over tokens, records being what was drawn.
    @Test func referenceDivergenceIsPerToken() throws {
        var metrics = PreferenceMetrics()
        for (divergence, tokens) in [(3.0, [UInt32(2), 4]), (1, [1, 1])] {
            try metrics.add(PreferenceRecord(
                ratings: Ratings(dimensions: [], ratings: [], rated: [], targets: []), policy: [-1, -2], reference: [-1, -2], tokenCounts: tokens), divergence: divergence)
        }
        let result = try #require(metrics.results().first { $0.metric == "kl_policy_reference_per_token" })
        #expect(result.value == 0.5 && result.low == 0.5 && result.high == 0.5 && result.count == 8 && result.chance == 0)
    }
}
