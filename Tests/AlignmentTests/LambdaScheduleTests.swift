import JSON
import SystemIO
import Testing
@testable import Alignment

@Suite struct LambdaScheduleTests {
    private let four: [Text] = ["helpfulness", "honesty", "instruction_following", "truthfulness"]
    private let id: Text = "52e0d72290d84de3be762b6ea871b1d1"

    private func weights(_ text: String, seed: UInt64 = 1, epoch: UInt64 = 0, record: Text? = nil, _ dimensions: [Text]? = nil, present: [Bool]? = nil) throws -> [Double]? {
        let dimensions = dimensions ?? four
        return try LambdaSchedule(text).weights(seed: seed, epoch: epoch, record: record ?? id, dimensions: dimensions, present: present ?? dimensions.map { _ in true })
    }

    @Test func givenWeights() throws {
        #expect(try weights("uniform") == [0.25, 0.25, 0.25, 0.25])
        #expect(try weights("uniform", present: [true, false, true, false]) == [0.5, 0, 0.5, 0])
        #expect(try weights("fixed:1,1,2,0") == [0.25, 0.25, 0.5, 0])
        #expect(try weights("fixed:1,1,2,0", present: [true, false, true, true]) == [1 / 3.0, 0, 2 / 3.0, 0])
        #expect(try weights("fixed:honesty=1,truthfulness=3") == [0, 0.25, 0, 0.75])
        #expect(try weights("fixed:honesty=1,truthfulness=3", ["truthfulness", "style"]) == [1, 0])
        #expect(try weights("one-hot:honesty") == [0, 1, 0, 0])
        #expect(try weights("uniform", ["only"]) == [1])
    }

    @Test func noWeightsWhereNothingAskedForIsPresent() throws {
        #expect(try weights("uniform", present: [false, false, false, false]) == nil)
        #expect(try weights("dirichlet:1", []) == nil)
        #expect(try weights("one-hot:honesty", present: [true, false, true, true]) == nil)
        #expect(try weights("one-hot:honesty", ["score"]) == nil)
        #expect(try weights("fixed:honesty=1", ["score"]) == nil)
        #expect(try weights("fixed:0,0,0,1", present: [true, true, true, false]) == nil)
        #expect(throws: InputError("lambda fixed:1,2 gives 2 weights, but record 52e0d72290d84de3be762b6ea871b1d1 has 4 dimensions (helpfulness, honesty, instruction_following, truthfulness); give weights by name")) {
            try weights("fixed:1,2")
        }
    }

    @Test(arguments: ["dirichlet:1", "dirichlet:0.01", "dirichlet:50", "gaussian", "one-hot"])
    func drawsLieOnTheSimplexAndDependOnTheirPurposeAlone(schedule: String) throws {
        var seen: Set<[Double]> = []
        for record in 0..<50 {
            let id = Text(String(repeating: "0", count: 30) + (record < 16 ? "0" : "") + String(record, radix: 16))
            for (seed, epoch) in [(1, 0), (1, 1), (2, 0)] as [(UInt64, UInt64)] {
                let drawn = try #require(try weights(schedule, seed: seed, epoch: epoch, record: id))
                #expect(drawn.allSatisfy { $0 >= 0 } && abs(drawn.reduce(0, +) - 1) < 1e-15, "\(drawn)")
                #expect(try weights(schedule, seed: seed, epoch: epoch, record: id) == drawn)
                seen.insert(drawn)
                let some = try #require(try weights(schedule, seed: seed, epoch: epoch, record: id, present: [true, false, true, true]))
                #expect(some[1] == 0 && abs(some.reduce(0, +) - 1) < 1e-15)
                // The same draw, renormalised.
                if schedule != "one-hot", drawn[0] > 1e-300, drawn[2] > 1e-300 { #expect(abs(some[0] / some[2] / (drawn[0] / drawn[2]) - 1) < 1e-9) }
            }
        }
        #expect(schedule == "one-hot" ? seen.count == 4 : seen.count == 150, "\(seen.count) different draws")
    }

    @Test func meansOverManyRecordsAreUniform() throws {
        for schedule in ["dirichlet:1", "gaussian", "one-hot"] {
            var sums = [0.0, 0, 0, 0]
            let lambda = try LambdaSchedule(schedule)
            for record in 0..<4000 {
                let drawn = try #require(try lambda.weights(seed: 7, epoch: 3, record: Text("record \(record)"), dimensions: four, present: [true, true, true, true]))
                for k in 0..<4 { sums[k] += drawn[k] }
            }
            for sum in sums { #expect(abs(sum / 4000 - 0.25) < 0.03, "\(schedule): \(sums)") }
        }
    }

    @Test func goldenDraws() throws {
        #expect(try weights("dirichlet:1")?.map { String($0.bitPattern, radix: 16) } == ["3fe337fdb7d8c449", "3fb2e21896aea628", "3fae10c14c36c7a6", "3fd11566411bf4ef"])
    }

    @Test(arguments: [
        ("table:x", "no lambda schedule \"table:x\"; there are uniform, fixed:W,W,.., fixed:NAME=W,.., dirichlet:A, gaussian, one-hot, one-hot:NAME"),
        ("", "no lambda schedule \"\"; there are uniform, fixed:W,W,.., fixed:NAME=W,.., dirichlet:A, gaussian, one-hot, one-hot:NAME"),
        ("uniform:1", "no lambda schedule \"uniform:1\"; there are uniform, fixed:W,W,.., fixed:NAME=W,.., dirichlet:A, gaussian, one-hot, one-hot:NAME"),
        ("dirichlet", "\"dirichlet\": expected dirichlet:A with a concentration A above 0, as in dirichlet:1"),
        ("dirichlet:0", "\"dirichlet:0\": expected dirichlet:A with a concentration A above 0, as in dirichlet:1"),
        ("dirichlet:nan", "\"dirichlet:nan\": expected dirichlet:A with a concentration A above 0, as in dirichlet:1"),
        ("fixed:1,x", "\"fixed:1,x\": \"x\" is no weight; expected fixed:W,W,.. or fixed:NAME=W,NAME=W with weights of 0 or more"),
        ("fixed:1,-1", "\"fixed:1,-1\": \"-1\" is no weight; expected fixed:W,W,.. or fixed:NAME=W,NAME=W with weights of 0 or more"),
        ("fixed:a=1,2", "\"fixed:a=1,2\": weights by order and by name cannot be mixed"),
        ("fixed:a=1,a=2", "\"fixed:a=1,a=2\": a dimension without a name, or one that stands twice"),
        ("fixed:0,0", "\"fixed:0,0\": the weights sum to 0.0, expected a sum above 0"),
    ])
    func schedulesThatAreNone(text: String, message: String) {
        #expect(throws: InputError(message, status: .usage), "\(text)") { try LambdaSchedule(text) }
    }
}
