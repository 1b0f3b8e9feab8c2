import BenchmarkData
import JSON
import SystemIO
import TestSupport
import Testing

@testable import Evaluation

/// Against lm-eval 0.4.13 itself: `fixtures/benchmarks/arc_golden.json` holds its prompts and figures for a dummy model.
@Suite struct HarnessTests {
    static func task() throws -> MultipleChoiceTask { .arcChallenge(try BenchmarkFolder(Fixtures.path("benchmarks")).arcChallenge()) }

    @Test(arguments: [0, 1, 2]) func arcEqualsTheHarness(index: Int) throws {
        let golden = try JSON.parse(readWholeFile(Fixtures.path("benchmarks/arc_golden.json")))
        let run = try #require(golden["runs"]?[index])
        let shots = try #require(run["shots"]?.int)
        let task = try Self.task()
        let requests = try task.requests(shots: shots)
        let expected = try #require(run["requests"]?.array)
        #expect(requests.count == expected.count)
        var answers: [LogLikelihood] = []
        for (request, expected) in zip(requests, expected) {
            #expect(request.document == expected["document"]?.int && request.choice == expected["choice"]?.int)
            #expect(request.context == expected["context"]?.text, "\(shots) shots, document \(request.document)")
            #expect(request.continuation == expected["continuation"]?.text)
            // The dummy model of the golden run.
            let answer = -Double(crc32(request.context.bytes + [0] + request.continuation.bytes) % 100_003) / 10_000
            #expect(answer == expected["log_likelihood"]?.double, "\(shots) shots, document \(request.document), choice \(request.choice)")
            answers.append(LogLikelihood(answer))
        }
        let scores = task.score(answers)
        #expect(scores.documents == 2)
        for score in scores.scores {
            #expect(score.mean == run["results"]?[score.metric.rawValue]?.double, "\(shots) shots, \(score.metric)")
            #expect(score.standardError == run["results"]?[score.metric.rawValue + "_stderr"]?.double, "\(shots) shots, \(score.metric)")
        }
        #expect(scores.chance == (1.0 / 3 + 1.0 / 4) / 2)
    }

    @Test func limitKeepsAPrefixAndItsDraws() throws {
        let task = try Self.task()
        let all = try task.requests(shots: 5), first = try task.requests(shots: 5, limit: 1)
        #expect(first == Array(all.prefix(3)))
        #expect(try task.requests(shots: 5, limit: 99) == all)
        // Documents without answers are not scored.
        #expect(task.score([LogLikelihood(-1), LogLikelihood(-2), LogLikelihood(-3)]).documents == 1)
        #expect(task.score([]).documents == 0)
        #expect(task.score([]).scores.allSatisfy { $0.mean.isNaN && $0.standardError == nil && !$0.interval.isKnown })
    }

    @Test func examplesMustBeThere() throws {
        var task = try Self.task()
        #expect(throws: InputError("arc_challenge: 41 worked examples are asked for, the train file has 40", status: .usage)) { try task.requests(shots: 41) }
        task.examples = nil
        #expect(throws: InputError("arc_challenge: 1 worked examples are asked for, but there is no train or validation file to draw them from", status: .missingInput)) {
            try task.requests(shots: 1)
        }
        #expect(try task.requests().count == 7)
    }

    @Test func meansAndErrors() {
        #expect(MultipleChoiceTask.meanAndError([1, 0, 0]) == (0.3333333333333333, 0.33333333333333337))
        // Squares are added up plainly, in order (as CPython's sum did before 3.12), so the last bit depends on where the miss stands.
        #expect(MultipleChoiceTask.meanAndError([1, 0, 1, 1, 1]) == (0.8, 0.20000000000000004))
        #expect(MultipleChoiceTask.meanAndError([1, 1, 1, 1, 0]) == (0.8, 0.19999999999999998))
        #expect(MultipleChoiceTask.meanAndError([1]) == (1, nil))
        #expect(MultipleChoiceTask.firstMaximum([1, 3, 3]) == 1)
        #expect(MultipleChoiceTask.firstMaximum([1, .nan, 3, .nan]) == 1)
        #expect(MultipleChoiceTask.firstMaximum([-.infinity, -.infinity]) == 0)
    }

    /// acc_norm divides by code points: bytes would choose otherwise here.
    @Test func normalizationCountsCodePoints() {
        var task = MultipleChoiceTask(name: "t", version: "0", split: "test", questions: [], examples: nil, exampleSplit: nil, metrics: [.accuracy, .normalizedAccuracy])
        task.questions = [.init(text: "q", choices: ["éééé", "abcde"], gold: 1)]
        // By code points -8/4 = -2 < -9/5 = -1.8; by bytes -8/8 = -1 > -1.8.
        #expect(task.score([LogLikelihood(-8), LogLikelihood(-9)]).outcomes == [[0], [1]])
        #expect(Text("a\u{1F600}é\u{301}").codePointCount == 4)
        #expect(Text([0xED, 0xA0, 0xBD]).codePointCount == 1)
    }

    private func crc32(_ bytes: [UInt8]) -> UInt32 {
        var crc = ~UInt32(0)
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0 ..< 8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }
}

@Suite struct PythonRandomTests {
    @Test func equalsCPython() throws {
        let reference = try JSON.parse(readWholeFile(Fixtures.path("benchmarks/python_random.json")))
        for row in try #require(reference["words"]?.array) {
            let seed = try #require(row["seed"]?.string.flatMap { UInt64($0) })
            var generator = PythonRandom(seed: seed)
            let words = (0 ..< 2000).map { _ in Int(generator.nextWord()) }
            #expect(words.prefix(8).map { $0 } == row["words"]?.array?.compactMap(\.int), "seed \(seed)")
            #expect(words[1999] == row["word_1999"]?.int, "seed \(seed)")
        }
        for key in ["samples", "checks"] {
            for row in try #require(reference[key]?.array) {
                let population = try #require(row["population"]?.int), count = try #require(row["count"]?.int)
                var generator = PythonRandom(seed: 1234)
                for (number, draw) in try #require(row["draws"]?.array).enumerated() {
                    #expect(generator.sample(population: population, count: count) == draw.array?.compactMap(\.int), "\(count) of \(population), draw \(number)")
                }
            }
        }
    }
}

/// Against lm-eval's own splitting of requests, with a made-up tokenizer whose tokens merge across the boundary.
@Suite struct EncodingTests {
    @Test func equalsTheHarness() throws {
        let cases = try #require(JSON.parse(readWholeFile(Fixtures.path("benchmarks/encodings.json"))).array)
        #expect(cases.count == 114)
        for row in cases {
            let addsBOS = try #require(row["adds_bos"]?.bool as Bool?), window = try #require(row["window"]?.int)
            let request = LogLikelihoodRequest(document: 0, choice: 0, context: try #require(row["context"]?.text), continuation: try #require(row["continuation"]?.text))
            let tokenizer = Self.tokenizer(addsBOS: addsBOS)
            guard let context = row["context_ids"]?.array?.compactMap(\.int) else {
                #expect(throws: InputError.self, "\(request), BOS \(addsBOS), window \(window)") { try tokenizer.encode(request, window: window) }
                continue
            }
            let encoded = try tokenizer.encode(request, window: window)
            #expect(encoded.context.map { Int($0) } == context, "\(request), BOS \(addsBOS), window \(window)")
            #expect(encoded.continuation.map { Int($0) } == row["continuation_ids"]?.array?.compactMap(\.int), "\(request), BOS \(addsBOS), window \(window)")
            #expect(encoded.context.count + encoded.continuation.count <= window + 1)
        }
    }

    @Test func refusals() {
        let tokenizer = Self.tokenizer(addsBOS: false)
        func encode(_ context: Text, _ continuation: Text, window: Int = 4) throws {
            _ = try tokenizer.encode(LogLikelihoodRequest(document: 0, choice: 0, context: context, continuation: continuation), window: window)
        }
        #expect(throws: InputError("the continuation has no tokens")) { try encode("ab", "") }
        #expect(throws: InputError("the continuation has 5 tokens, the model's context holds 4")) { try encode("ab", "cdefg") }
        #expect(throws: InputError("nothing stands before the continuation to predict it from: the context is empty and the tokenizer adds no BOS")) { try encode(" ", "x") }
        let bare = HarnessTokenizer(prefixToken: nil, prefixText: "") { text, _ in text.bytes.map { UInt32($0) } }
        #expect(throws: InputError("nothing stands before the continuation to predict it from: the context is empty and the tokenizer adds no BOS")) {
            try bare.encode(LogLikelihoodRequest(document: 0, choice: 0, context: "", continuation: "x"), window: 4)
        }
    }

    /// As `fixtures/benchmarks/make_encodings.py` describes it.
    static func tokenizer(addsBOS: Bool) -> HarnessTokenizer {
        HarnessTokenizer(prefixToken: 1, prefixText: "<s>") { text, special in
            var rest = ArraySlice(text.description.unicodeScalars.map(\.value))
            var ids: [UInt32] = special && addsBOS ? [1] : []
            while let first = rest.first {
                if rest.starts(with: "<s>".unicodeScalars.map(\.value)) {
                    ids.append(1)
                    rest = rest.dropFirst(3)
                } else if rest.count > 1, rest[rest.startIndex + 1] == first {
                    ids.append(0x200000 + first)
                    rest = rest.dropFirst(2)
                } else {
                    ids.append(first)
                    rest = rest.dropFirst()
                }
            }
            return ids
        }
    }
}
