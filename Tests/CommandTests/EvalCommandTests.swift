import Checksums
import Glibc
import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing

/// uf-eval as a user runs it, on stories260K.
@Suite struct EvalCommandTests {
    private let folder = TemporaryFolder()

    /// Two model folders, `trained` and `model`: the policy of the gradient fixtures and a copy in which one layer's norm is changed; and `packed.uf`.
    init() throws {
        let tokenizer = try readWholeFile(Fixtures.path("tokenizers/stories260K/tokenizer.json"))
        var weights = try readWholeFile(Fixtures.path("gradients/stories260K/policy/model.safetensors"))
        let config = try readWholeFile(Fixtures.path("gradients/stories260K/policy/config.json"))
        for name in ["trained", "model"] {
            #expect(mkdir(folder.file(name), 0o777) == 0)
            try write(tokenizer, name + "/tokenizer.json")
            try write(config, name + "/config.json")
            try write(weights, name + "/model.safetensors")
            // The last four bytes are the last number of the last tensor: 0.5.
            weights.replaceSubrange(weights.count - 4 ..< weights.count, with: [0, 0, 0, 0x3F])
        }
        try writePacked("packed.uf", records: 12, tokenizer: SHA256.hexDigest(of: tokenizer))
    }

    private func write(_ bytes: [UInt8], _ name: String) throws {
        let file = try AtomicFile(path: folder.file(name))
        try file.write(bytes)
        try file.finish()
    }

    private func writePacked(_ name: String, records: Int, tokenizer: String, seed: UInt64 = 1) throws {
        let file = try AtomicFile(path: folder.file(name))
        let head = StreamHead(
            schema: PackedBin.schema, settings: ["tokenizer": .string(tokenizer), "layout": "shared-prefix"],
            provenance: Provenance(command: "uf-pack", recipe: 1, arguments: [], inputs: []))
        let writer = try RecordStreamWriter<PackedBin>(to: file, head: head)
        var generator = SeededGenerator(seed: seed)
        for record in 0 ..< records {
            var bin = PackedBin(tokens: [], positions: [], segments: [], members: [])
            func append(_ count: Int, after: Int, response: Int32) {
                let start = UInt32(bin.tokens.count), end = start + UInt32(count)
                bin.tokens += (0 ..< count).map { _ in UInt32.random(in: 3 ..< 512, using: &generator) }
                bin.positions += (0 ..< count).map { UInt32(after + $0) }
                bin.segments.append(.init(start: start, end: end, parent: response < 0 ? -1 : 0, record: 0, response: response, labelStart: response < 0 ? end : start))
            }
            let prompt = Int.random(in: 3 ..< 20, using: &generator), n = 2 + record % 3
            append(prompt, after: 0, response: -1)
            for response in 0 ..< n { append(Int.random(in: 1 ..< 30, using: &generator), after: prompt, response: Int32(response)) }
            let ratings = (0 ..< 2 * n).map { _ in Double(Int.random(in: 1 ... 5, using: &generator)) }
            // Targets need not be a softmax here, only distributions.
            var targets: [Double] = []
            for row in [ratings.prefix(n), ratings.suffix(n)] {
                let sum = row.reduce(0, +)
                targets += row.map { $0 / sum }
            }
            bin.members = [.init(
                id: Text("\(record)"), origin: Origin(input: 1, line: UInt64(record + 1)), source: "",
                ratings: Ratings(dimensions: ["helpfulness", "honesty"], ratings: ratings, rated: ratings.map { _ in 1 }, targets: targets),
                promptCuts: [0], responseCuts: (0 ..< n).map { record == 0 && $0 == 1 ? 3 : 0 })]
            try writer.append(bin)
        }
        try writer.finish(StreamTail())
        try file.finish()
    }

    private func run(_ script: String) -> Command.Outcome { Command.shell("B=\(Command.quoted(Fixtures.path("benchmarks"))); " + script, in: folder.path) }

    @Test func scoresTheSameForAnyThreadsFilesAndPipes() throws {
        let outcome = run("""
            uf-eval score packed.uf --model model/ -j 1 -o 1.uf && uf-eval score packed.uf --model model/ -j 2 > 2.uf && cmp 1.uf 2.uf || exit 1
            cat packed.uf | uf-eval score --model model > 3.uf && cmp 1.uf 3.uf || exit 2
            uf-eval score packed.uf --model trained -o 4.uf && ! cmp -s 1.uf 4.uf || exit 3
            """)
        #expect(outcome.status == 0 && outcome.errors.isEmpty && outcome.output.isEmpty, "\(outcome)")
        let reader = try RecordReader<LogProbRecord>(FileSource(path: folder.file("1.uf")))
        var count = 0
        while let record = try reader.next() {
            #expect(record.id == Text("\(count)") && record.logProbs.count == 2 + count % 3)
            // Random tokens: each costs about ln 512 or more.
            for (sum, tokens) in zip(record.logProbs, record.tokenCounts) { #expect(sum < -2 * Double(tokens), "record \(record.id)") }
            count += 1
        }
        #expect(count == 12)
        #expect(reader.stream.tail?.counts["responses"] == 36)
        #expect(reader.stream.head.settings["model"]?.string?.utf8.count == 64)
    }

    @Test func preferenceFromModelsEqualsPreferenceFromStreams() throws {
        let outcome = run("""
            uf-eval score packed.uf --model model -o m.uf; uf-eval score packed.uf --model trained -o t.uf
            uf-eval preference packed.uf --model trained --reference model --json > a.json && uf-eval preference --model t.uf --reference m.uf --json < packed.uf > b.json || exit 1
            uf-eval preference packed.uf --model t.uf --reference model --json -o c.json -j 1 || exit 2
            cmp b.json c.json || exit 3
            """)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let line = "uf-eval preference: 0 prompts and 1 responses had been cut by uf-pack; a cut response counts without its end\n"
        #expect(outcome.errors == line + line + line)
        let json = try JSON.parse(readWholeFile(folder.file("a.json")))
        #expect(json["records"] == 12 && json["responses"] == 36 && json["cut_responses"] == 1)
        let results = try #require(json["results"]?.array)
        #expect(results.count == 3 * 9 + 5)
        // Only two models know the divergence over the whole vocabulary; everything else is the same.
        let streams = try JSON.parse(readWholeFile(folder.file("b.json")))
        let known = try #require(results.first { $0["metric"] == "kl_policy_reference_per_token" })
        let perToken = try #require(results.first { $0["metric"] == "log_ratio_to_reference_per_token" })
        #expect((known["value"]?.double ?? 0) > 0 && known["n"]?.int == perToken["n"]?.int && known["n"]?.int ?? 0 > 0)
        #expect(results.filter { $0["metric"] != "kl_policy_reference_per_token" } == streams["results"]?.array)
        for key in ["policy", "reference", "data", "records", "options"] { #expect(json[key] == streams[key], "\(key)") }
        let accuracy = try #require(results.first { $0["metric"] == "reward_accuracy" && $0["dimension"] == "honesty" })
        #expect((accuracy["low"]?.double ?? 2) <= (accuracy["value"]?.double ?? -1) && (accuracy["value"]?.double ?? 2) <= (accuracy["high"]?.double ?? -1))
        #expect(accuracy["chance"] == 0.5)
    }

    /// Lambda means in the evaluation what it means in training: the held-out loss that uf-train tells of its last step is the loss that uf-eval finds.
    @Test(arguments: ["uniform", "fixed:3,1", "fixed:honesty=3,helpfulness=1", "one-hot:honesty", "dirichlet:1"]) func lambdaIsThatOfTraining(lambda: String) throws {
        let outcome = run("""
            uf-train model --data packed.uf --validation packed.uf --lambda \(lambda) --batch 4 --warmup 0 --learning-rate 1e-3 --json -o out > train.json || exit 1
            uf-eval preference packed.uf --model out --reference model --lambda \(lambda) --resamples 100 --json 2>/dev/null
            """)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let results = try #require(JSON.parse(outcome.output)["results"]?.array)
        func loss(_ dimension: String) throws -> Double { try #require(results.first { $0["metric"] == "loss" && $0["dimension"]?.string == dimension }?["value"]?.double) }
        if lambda.hasPrefix("dirichlet") {
            // Training draws weights for each record; the evaluation takes their mean.
            #expect(abs(try loss("") - (loss("honesty") + loss("helpfulness")) / 2) < 1e-12)
        } else {
            let trained = try #require(JSON.parse(readWholeFile(folder.file("train.json")))["validations"]?.array?.last?["loss"]?.double)
            let found = try loss("")
            #expect(abs(found - trained) < 1e-5, "\(found), in training \(trained)")
            #expect(abs(try loss("honesty") - loss("helpfulness")) > 1e-3, "the weights make no difference: the test shows nothing")
        }
    }

    @Test func beforeAndAfterInTheDatabase() throws {
        let outcome = run("""
            uf-eval preference packed.uf --model model --reference model --database runs.sqlite --label before --split test > before || exit 1
            uf-eval preference packed.uf --model trained --reference model --database runs.sqlite --label after --split test > after || exit 2
            uf-eval bench --model trained --tasks arc_challenge --data $B --database runs.sqlite > /dev/null || exit 3
            uf-eval report runs.sqlite > list && uf-eval report runs.sqlite --before before --after 2 > compared || exit 4
            uf-eval report runs.sqlite --before before --after after --json > compared.json && uf-eval report runs.sqlite --json > list.json || exit 5
            """)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let before = try text("before")
        #expect(before.contains("Policy and reference are the same model: every r is 0, all pairs tie, every loss is that of an untrained policy.\n"))
        #expect(before.split(separator: "\n").filter { $0.contains("reward accuracy") }.allSatisfy { $0.hasSuffix("no value: nothing but ties") })
        #expect(!before.contains("above chance") && !before.contains("learned"))
        #expect(try text("after").contains("reward accuracy"))
        #expect(try text("list").split(separator: "\n").count == 4)
        #expect(try text("compared").hasPrefix("before: run 1 before, model "))
        #expect(!(try text("compared").contains("CAUTION")))
        let compared = try JSON.parse(readWholeFile(folder.file("compared.json")))
        #expect(compared["same_data"] == true && compared["figures"]?.array?.count == 32)
        #expect(compared["figures"]?[0]?["before"]?["value"] == JSONValue.null && compared["figures"]?[0]?["change"] == "unknown")
        #expect(try JSON.parse(readWholeFile(folder.file("list.json"))).array?.map { $0["command"]?.string } == ["uf-eval preference", "uf-eval preference", "uf-eval bench"])
    }

    private func text(_ name: String) throws -> String { String(decoding: try readWholeFile(folder.file(name)), as: UTF8.self) }

    /// lm-eval itself on the same model and documents: `fixtures/benchmarks/make_arc_stories.py`. At 25 examples the prompts are cut to the window.
    @Test func benchEqualsTheHarness() throws {
        for run in try #require(JSON.parse(readWholeFile(Fixtures.path("benchmarks/arc_stories260K.json"))).array) {
            let shots = try #require(run["shots"]?.int), bos = try #require(run["bos"]?.bool as Bool?)
            let outcome = self.run("uf-eval bench --model trained --tasks arc_challenge --data $B --fewshot \(shots) \(bos ? "" : "--no-bos") --log-samples s.jsonl --json")
            let place = "\(shots) shots, BOS \(bos)"
            #expect(outcome.status == 0, "\(place): \(outcome.errors)")
            #expect(outcome.errors == (shots < 25 ? "" : "uf-eval bench: arc_challenge: the context of 7 of 7 requests was cut at its left to fit the model's 512 tokens\n"))
            let samples = try text("s.jsonl").split(separator: "\n").map { try JSON.parse(String($0)) }
            let expected = try #require(run["answers"]?.array).flatMap { $0.array ?? [] }
            #expect(samples.count == expected.count)
            for (sample, answer) in zip(samples, expected) {
                let difference = abs((sample["log_likelihood"]?.double ?? .nan) - (answer[0]?.double ?? .nan))
                #expect(difference < 1e-3, "\(place), document \(sample["document"] ?? nil), choice \(sample["choice"] ?? nil): differs by \(difference)")
                #expect(sample["is_greedy"]?.bool == answer[1]?.bool)
            }
            let results = try #require(JSON.parse(outcome.output)["results"]?.array)
            for metric in ["acc", "acc_norm"] {
                #expect(results.first { $0["metric"]?.string == metric }?["value"]?.double == run["results"]?[metric]?.double, "\(place), \(metric)")
            }
        }
    }

    @Test func badInputsSayWhatToDo() throws {
        try writePacked("other.uf", records: 12, tokenizer: SHA256.hexDigest(of: readWholeFile(Fixtures.path("tokenizers/stories260K/tokenizer.json"))), seed: 2)
        try writePacked("foreign.uf", records: 1, tokenizer: "00")
        #expect(run("uf-eval score other.uf --model model -o other.logps.uf; uf-eval score packed.uf --model model -o m.uf").status == 0)
        func fails(_ script: String, _ status: Int32, _ message: String, _ location: SourceLocation = #_sourceLocation) {
            let outcome = run(script)
            #expect(outcome.status == status && outcome.errors == message + "\n", "\(script): \(outcome.status) \(outcome.errors)", sourceLocation: location)
        }
        let ours = SHA256.hexDigest(of: try readWholeFile(folder.file("model/tokenizer.json")))
        fails("uf-eval score foreign.uf --model model -o x.uf", 65,
              "uf-eval: foreign.uf: its token ids were made with the tokenizer of sha256 00, that of model has \(ours); run uf-tokenize with the model's tokenizer and pack again")
        fails("uf-eval score m.uf --model model -o x.uf", 65, "uf-eval: m.uf: a stream of logps records, expected packed (uf-pack makes them)")
        fails("uf-eval score packed.uf --model absent -o x.uf", 66, "uf-eval: absent/config.json: cannot be opened for reading: No such file or directory")
        fails("uf-eval score absent.uf --model model -o x.uf", 66, "uf-eval: absent.uf: cannot be opened for reading: No such file or directory")
        fails("uf-eval score packed.uf --model model > /dev/full", 74, "uf-eval: standard output: writing failed at byte 0: No space left on device")
        #expect(access(folder.file("x.uf"), F_OK) != 0)
        let cut = run("head -c 3000 packed.uf | uf-eval score --model model -o x.uf")
        #expect(cut.status == 65 && cut.errors.hasPrefix("uf-eval: standard input: ") && access(folder.file("x.uf"), F_OK) != 0, "\(cut.errors)")
        let different = run("uf-eval preference packed.uf --model other.logps.uf --reference m.uf")
        #expect(different.status == 65)
        #expect(different.errors.hasPrefix("uf-eval: other.logps.uf: log-probabilities of another stream than packed.uf: record 0 has responses of ")
                && different.errors.hasSuffix("; run uf-eval score on packed.uf\n"), "\(different.errors)")
        fails("uf-eval bench --model model --tasks arc_challenge --data $B --fewshot 41", 64, "uf-eval: arc_challenge: 41 worked examples are asked for, the train file has 40")
        fails("uf-eval report absent.sqlite", 66, "uf-eval: absent.sqlite: cannot be opened for reading: No such file or directory")
        fails("uf-eval report packed.uf", 65, "uf-eval: packed.uf: not an SQLite database; give one that uf commands made, or a name that does not exist yet")
        #expect(run("uf-eval preference packed.uf --model m.uf --reference m.uf --lambda fixed:honesty=-1").status == 64)
        fails("uf-eval preference packed.uf --model m.uf --reference m.uf --lambda fixed:honesy=1 -o x", 65,
              "uf-eval: packed.uf: no record has the dimension honesy that --lambda names; the data has helpfulness, honesty")
        fails("uf-eval preference packed.uf --model m.uf --reference m.uf --lambda fixed:1,2,3 -o x", 65,
              "uf-eval: packed.uf: record 0: lambda gives 3 weights, a record has 2 dimensions (helpfulness, honesty); give weights by name")
        #expect(run("uf-eval bench --model model --tasks mmlu --data $B").status == 64)
    }

    /// Weights that overflow or are no numbers give no figures: neither log-probabilities nor scores of a benchmark, and no trace of a run.
    @Test(arguments: [("nan", "\\xff\\xff\\xff\\xff"), ("nan", "\\x00\\x00\\x80\\x7f")]) func damagedWeightsGiveNoFigures(shown: String, number: String) throws {
        // The last number of the last tensor.
        #expect(run("cp -r model broken && truncate -s -4 broken/model.safetensors && printf '\(number)' >> broken/model.safetensors").status == 0)
        let bench = run("uf-eval bench --model broken --tasks arc_challenge --data $B --limit 2 --database runs.sqlite --log-samples samples -o figures")
        #expect(bench.status == 65)
        #expect(bench.errors == "uf-eval: broken: arc_challenge: document 1: the model gives choice 1 the log-probability \(shown); its weights are damaged or overflow\n")
        #expect(run("uf-eval report runs.sqlite").output == Array("no runs\n".utf8))
        let score = run("uf-eval score packed.uf --model broken -o scores.uf")
        #expect(score.status == 65)
        #expect(score.errors == "uf-eval: packed.uf: record 0: the model gives response 0 the log-probability \(shown); its weights are damaged or overflow\n")
        for name in ["samples", "figures", "scores.uf"] { #expect(access(folder.file(name), F_OK) != 0, "\(name)") }
    }

    /// Double precision is that of what was computed: from streams of single precision there is none to be had.
    @Test func precisionIsThatOfTheStreams() throws {
        let outcome = run("""
            for p in single double; do for m in model trained; do uf-eval score packed.uf --model $m --precision $p -o $m.$p.uf || exit 1; done; done
            E="uf-eval preference packed.uf --precision double --json"
            $E --model trained.double.uf --reference model.double.uf > a.json && $E --model trained --reference model.double.uf > b.json && cmp a.json b.json || exit 2
            uf-eval preference packed.uf --json --model trained.single.uf --reference model.single.uf > c.json && ! diff -q <(grep -v precision a.json) <(grep -v precision c.json) > differ
            """)
        #expect(outcome.status == 0, "\(outcome.status): \(outcome.errors)")
        for (policy, reference, named) in [("trained.single.uf", "model.double.uf", "trained.single.uf"), ("trained", "model.single.uf", "model.single.uf")] {
            let refused = run("uf-eval preference packed.uf --precision double --model \(policy) --reference \(reference) -o x")
            #expect(refused.status == 65 && access(folder.file("x"), F_OK) != 0)
            #expect(refused.errors == "uf-eval: \(named): log-probabilities in single precision, and --precision double was asked for; run uf-eval score with --precision double\n")
        }
    }

    /// Nothing to evaluate is no tie.
    @Test func anEmptyStreamHasNoRecords() throws {
        try writePacked("empty.uf", records: 0, tokenizer: SHA256.hexDigest(of: readWholeFile(folder.file("model/tokenizer.json"))))
        let outcome = run("""
            uf-eval preference empty.uf --model trained --reference model --database runs.sqlite --label a && uf-eval report runs.sqlite && uf-eval report runs.sqlite --before a --after a
            """)
        let text = String(decoding: outcome.output, as: UTF8.self)
        #expect(outcome.status == 0 && outcome.errors.isEmpty && !text.contains("nothing but ties"), "\(outcome.status): \(outcome.errors)\(text)")
        let lines = text.split(separator: "\n").filter { $0.contains("reward accuracy") || $0.contains("loss, nats") }
        #expect(lines.count == 5 && lines.allSatisfy { $0.hasSuffix("no records") }, "\(text)")
    }

    @Test func numbersOutOfRangeAreUsageErrors() {
        for (options, message) in [
            ("--resamples 99", "--resamples takes a number from 100 to 1000000"), ("--resamples 1000001", "--resamples takes a number from 100 to 1000000"),
            ("--beta 1.1e6", "--beta takes a number above 0, at most 1e6"), ("--beta inf", "--beta takes a number above 0, at most 1e6"),
            ("--beta nan", "--beta takes a number above 0, at most 1e6"), ("--beta 0", "--beta takes a number above 0, at most 1e6"),
        ] {
            let outcome = run("uf-eval preference packed.uf --model trained --reference model \(options)")
            #expect(outcome.status == 64 && outcome.errors == "uf-eval: \(message) (uf-eval preference --help tells more)\n", "\(options): \(outcome.status): \(outcome.errors)")
        }
        #expect(run("uf-eval preference packed.uf --model trained --reference model --resamples 100 --beta 1e6 -o x").status == 0)
    }

    /// Two processes enter runs into one database at once, and one killed on the way leaves it whole.
    @Test func severalProcessesShareTheDatabase() throws {
        let outcome = run("""
            uf-eval score packed.uf --model model -o m.uf; uf-eval score packed.uf --model trained -o t.uf
            for i in 1 2 3 4; do for k in 1 2 3; do uf-eval preference packed.uf --model t.uf --reference m.uf --resamples 100 --database runs.sqlite --label $i.$k > /dev/null 2>&1 || touch failed; done & done
            uf-eval preference packed.uf --model trained --reference model --resamples 100000 --database runs.sqlite --label killed > /dev/null 2>&1 & sleep 0.3; kill -9 $!
            wait; test ! -e failed || exit 1
            uf-eval report runs.sqlite --json
            """)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let runs = try #require(JSON.parse(outcome.output).array).filter { $0["label"] != "killed" }
        #expect(runs.count == 12 && runs.allSatisfy { $0["results"]?.array?.count == 31 && $0["status"] == "finished" })
    }
}
