import JSON
import RecordStream
import Testing
@testable import PreferenceData

@Suite struct TargetsTests {
    private func close(_ values: [Double], _ expected: [Double], _ tolerance: Double = 5e-5) -> Bool {
        values.count == expected.count && zip(values, expected).allSatisfy { abs($0 - $1) < tolerance }
    }

    private func make(_ targets: Targets, _ rows: [[Double?]]) -> Ratings? {
        var raw = RawPreference(source: "s", turns: [], responses: rows[0].map { _ in "r" })
        for (k, row) in rows.enumerated() { raw.rate(Text("d\(k)"), in: RatingRange(low: 1, high: 5), row.map { ($0 ?? .nan, $0 == nil ? .missing : .rated) }) }
        return targets.make(raw)
    }

    @Test func knownDistributions() throws {
        let ratings = try #require(make(Targets(), [[4, 2, 5, 3], [5, 5, 5, 1]]))
        #expect(close(Array(ratings.targets[0..<4]), [0.2369, 0.0321, 0.6439, 0.0871]), "\(ratings.targets)")
        #expect(close(Array(ratings.targets[4..<8]), [0.3313, 0.3313, 0.3313, 0.0061]), "\(ratings.targets)")
        #expect(ratings.rated == [1, 1, 1, 1, 1, 1, 1, 1])
        #expect(ratings.targets[0].bitPattern == 0x3FCE_522D_1A57_1A01, "golden bits: they reach the stream")
    }

    @Test func temperatureDividesTheRatings() throws {
        let halved = try #require(make(Targets(temperature: 2), [[4, 2]])), plain = try #require(make(Targets(), [[2, 1]]))
        #expect(halved.targets == plain.targets)
    }

    @Test func maskLeavesOutResponsesAndDimensions() throws {
        let ratings = try #require(make(Targets(missing: .mask), [[4, nil, 5], [nil, nil, 3], [nil, nil, nil]]))
        #expect(ratings.rated == [1, 0, 1, 0, 0, 0, 0, 0, 0])
        #expect(close(ratings.targets, [0.26894, 0, 0.73106, 0, 0, 0, 0, 0, 0]))
        #expect(ratings.ratings[1].isNaN && ratings.ratings[5] == 3, "a single rating stays on record")
    }

    @Test func floorRatesOne() throws {
        let ratings = try #require(make(Targets(missing: .floor), [[4, nil, 5], [nil, nil, nil]])), one = try #require(make(Targets(), [[4, 1, 5]]))
        #expect(ratings.rated == [1, 1, 1, 1, 1, 1])
        #expect(Array(ratings.targets[0..<3]) == one.targets)
        #expect(close(Array(ratings.targets[3..<6]), [1.0 / 3, 1.0 / 3, 1.0 / 3], 1e-15))
    }

    @Test func meanRatesTheMeanOfTheOthers() throws {
        let ratings = try #require(make(Targets(missing: .mean), [[4, nil, 5], [nil, nil, nil], [nil, 2, nil]])), same = try #require(make(Targets(), [[4, 4.5, 5]]))
        #expect(Array(ratings.targets[0..<3]) == same.targets)
        #expect(Array(ratings.rated[3..<6]) == [0, 0, 0], "nothing to take the mean of")
        #expect(close(Array(ratings.targets[6..<9]), [1.0 / 3, 1.0 / 3, 1.0 / 3], 1e-15))
    }

    @Test func dropDropsTheRecord() {
        #expect(make(Targets(missing: .drop), [[4, 3], [nil, 3]]) == nil)
        #expect(make(Targets(missing: .drop), [[4, 3], [1, 3]]) != nil)
    }

    @Test(arguments: [2, 3, 5, 16])
    func anyNumberOfResponses(count: Int) throws {
        let ratings = try #require(make(Targets(), [(0..<count).map { Double($0 % 5 + 1) }]))
        #expect(abs(ratings.targets.reduce(0, +) - 1) < 1e-15 * Double(count))
        #expect(ratings.targets.allSatisfy { $0 > 0 })
    }
}
