import SystemIO
import TestSupport
import Testing

/// pipelines/ultrafeedback.mk with commands that only write down how they were called: which variable reaches which command, and what its change remakes.
@Suite struct PipelineVariablesTests {
    private let folder = TemporaryFolder()

    init() {
        let made = Command.shell(
            """
            mkdir bin model; touch raw.jsonl map.json mmlu.tar arc.jsonl model/config.json model/model.safetensors model/tokenizer.json
            cat > stub <<'END'
            #!/bin/sh
            { printf '%s ' "${0##*/}"; printf '[%s]' "$@"; echo; } >> "$LOG"
            while [ $# -gt 0 ]; do if [ "$1" = -o ]; then out=$2; fi; shift; done
            case ${0##*/}:$out in
              uf-train:*) mkdir -p "$out"; : > "$out/model.safetensors" ;;
              *:?*) : > "$out" ;;
            esac
            END
            chmod +x stub; for name in convert tokenize pack train eval records; do cp stub bin/uf-$name; done
            """, in: folder.path)
        #expect(made.status == 0, "\(made.errors)")
    }

    private struct Call: Hashable {
        var command: String
        var words: String

        /// What it wrote, as train.packed.uf; of the report, which several calls write, "report".
        var output: String {
            guard let range = words.firstRange(of: "[-o][w/") else { return "report" }
            return String(words[range.upperBound...].prefix { $0 != "]" })
        }
    }

    /// Makes the report with these variables set and returns what was called.
    private func make(_ variables: [String]) -> [Call] {
        let words = variables.map(Command.quoted).joined(separator: " ")
        let outcome = Command.shell(
            "rm -f log; touch log; LOG=$PWD/log make --no-print-directory -f \(repositoryRoot)/pipelines/ultrafeedback.mk BIN=bin RAW=raw.jsonl MODEL=model WORK=w \(words) >/dev/null && cat log", in: folder.path)
        #expect(outcome.status == 0, "\(variables): \(outcome.errors)")
        return String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").map { line in
            Call(command: String(line.prefix { $0 != " " }), words: String(line.drop { $0 != " " }))
        }
    }

    private static func files(_ kinds: [String], of parts: [String]) -> Set<String> { Set(parts.flatMap { part in kinds.map { part + "." + $0 } }) }

    /// What the change of an option of each command remakes.
    private static func remade(by command: String, parts: [String] = ["train", "validation"]) -> Set<String> {
        let kinds = ["rated.uf", "tokens.uf", "packed.uf", "reference.uf", "before.txt", "after.txt"]
        switch command {
        case "uf-convert": return files(kinds, of: parts).union(["trained", "report"])
        case "uf-tokenize": return files(Array(kinds[1...]), of: parts).union(["trained", "report"])
        case "uf-pack": return files(Array(kinds[2...]), of: parts).union(["trained", "report"])
        case "uf-train": return files(["after.txt"], of: parts).union(["trained", "report"])
        case "uf-eval": return files(["before.txt", "after.txt"], of: parts).union(["report"])
        default: return []
        }
    }

    @Test func eachReachesItsCommandsAndRemakesWhatDependsOnThem() {
        // Variable, the commands whose option it is, and the words that these must get.
        let cases: [(String, [String], String)] = [
            ("FROM=ultrafeedback", ["uf-convert"], "[--from][ultrafeedback]"), ("SCORE_FROM=overall_score", ["uf-convert"], "[--score-from][overall_score]"),
            ("SYSTEM=completion", ["uf-convert"], "[--system][completion]"),
            ("DIMENSIONS=a b,c=d", ["uf-convert"], "[--dimensions][a b,c=d]"), ("SCALE=c=0:1", ["uf-convert"], "[--scale][c=0:1]"), ("MISSING=floor", ["uf-convert"], "[--missing][floor]"),
            ("TEMPERATURE=2", ["uf-convert"], "[--temperature][2]"), ("RATING_RANGE=0..7", ["uf-convert"], "[--rating-range][0..7]"),
            ("ON_BAD_RECORD=skip", ["uf-convert"], "[--on-bad-record][skip]"), ("STRICT=1", ["uf-convert"], "[--strict]"),
            ("DECONTAMINATE=mmlu.tar arc.jsonl", ["uf-convert"], "[--decontaminate][mmlu.tar][--decontaminate][arc.jsonl]"),
            ("LICENCES=a=MIT b=it's", ["uf-convert"], "[--licence][a=MIT][--licence][b=it's]"),
            ("RATE=brevity,formatting", ["uf-convert"], "[--rate][brevity,formatting]"), ("DEDUP=near", ["uf-convert"], "[--dedup][near]"), ("DEDUP_STORE=earlier one.db", ["uf-convert"], "[--dedup-store][earlier one.db]"),
            ("MAP=map.json", ["uf-convert"], "[--map][map.json]"), ("WHERE=gap >= 1 and source != 'it is'", ["uf-convert"], "[--where][gap >= 1 and source != 'it is']"),
            ("SAMPLE=20", ["uf-convert"], "[--sample][20][--seed][0]"), ("STRATIFY=source", ["uf-convert"], "[--stratify][source]"), ("SAMPLE_SEED=4", ["uf-convert"], "[--seed][4]"),
            ("EXPECT_RECORDS=9", ["uf-convert"], "[--expect-records][9]"), ("EXPECT_SHA256=aa bb", ["uf-convert"], "[--expect-sha256][aa][--expect-sha256][bb]"),
            ("SPLIT=train=0.6,validation=0.4", ["uf-convert"], "[--split][train=0.6,validation=0.4]"),
            ("TEMPLATE=plain", ["uf-tokenize"], "[--template][plain]"), ("TEMPLATE_VARS={\"a\": 1}", ["uf-tokenize"], "[--vars][{\"a\": 1}]"), ("TEMPLATE_DATE=2024-07-26", ["uf-tokenize"], "[--date][2024-07-26]"),
            ("SYSTEM_TURN=It's \"so\", a; b", ["uf-tokenize"], "[--system][It's \"so\", a; b]"),
            ("BOS=<s>", ["uf-tokenize"], "[--bos][<s>]"), ("EOS=</s>", ["uf-tokenize"], "[--eos][</s>]"), ("CONTEXT_LENGTH=99", ["uf-tokenize"], "[--context-length][99]"),
            ("TOKENIZER_FAMILY=qwen2.5", ["uf-tokenize"], "[--tokenizer-family][qwen2.5]"),
            ("LAYOUT=rows16", ["uf-pack"], "[--layout][rows16]"), ("MAX_LENGTH=77", ["uf-pack"], "[--max-length][77]"), ("MAX_TOKENS=88", ["uf-pack"], "[--max-tokens][88]"),
            ("RECORDS_PER_BIN=3", ["uf-pack"], "[--records-per-bin][3]"), ("OPEN_BINS=4", ["uf-pack"], "[--open-bins][4]"), ("OVERLONG=drop", ["uf-pack"], "[--overlong][drop]"),
            ("TRUNCATION=paper", ["uf-pack"], "[--truncation][paper]"), ("PAPER_EPSILON=1", ["uf-pack"], "[--paper-epsilon]"),
            ("ORDER=shuffled", ["uf-pack"], "[--order][shuffled][--seed][0]"), ("ORDER_SEED=6", ["uf-pack"], "[--seed][6]"),
            ("BETA=0.2", ["uf-train", "uf-eval"], "[--beta][0.2]"), ("LOG_PROB=mean", ["uf-train", "uf-eval"], "[--log-prob][mean]"),
            ("LAMBDA=fixed:a=1,b c=2", ["uf-train", "uf-eval"], "[--lambda][fixed:a=1,b c=2]"),
            ("EPOCHS=2", ["uf-train"], "[--epochs][2]"), ("BATCH=3", ["uf-train"], "[--batch][3]"), ("LEARNING_RATE=1e-3", ["uf-train"], "[--learning-rate][1e-3]"),
            ("SCHEDULE=constant", ["uf-train"], "[--schedule][constant]"), ("WARMUP=5", ["uf-train"], "[--warmup][5]"), ("WEIGHT_DECAY=0.3", ["uf-train"], "[--weight-decay][0.3]"),
            ("ADAM_BETAS=0.8,0.9", ["uf-train"], "[--adam-betas][0.8,0.9]"), ("ADAM_EPSILON=1e-6", ["uf-train"], "[--adam-epsilon][1e-6]"), ("CLIP=0", ["uf-train"], "[--clip][0]"),
            ("SEED=7", ["uf-train"], "[--seed][7]"), ("GRADIENT_GROUPS=2", ["uf-train"], "[--groups][2]"), ("REFERENCE=none", ["uf-train"], "[--reference][none]"),
            ("VALIDATE_EVERY=4", ["uf-train"], "[--validation][w/validation.packed.uf][--validate-every][4]"),
            ("RESAMPLES=10", ["uf-eval"], "[--resamples][10]"), ("BOOTSTRAP_SEED=8", ["uf-eval"], "[--seed][8]"),
        ]
        #expect(Set(make([]).map(\.output)) == Self.remade(by: "uf-convert"))
        #expect(make([]).isEmpty)
        // Each on top of those before it, so that one change at a time is made.
        for number in cases.indices {
            let (variable, commands, words) = cases[number]
            let calls = make(cases[...number].map(\.0))
            #expect(Set(calls.map(\.output)) == commands.map { Self.remade(by: $0) }.reduce([]) { $0.union($1) }, "\(variable)")
            for command in commands {
                let own = calls.filter { $0.command == command && (command != "uf-eval" || $0.words.hasPrefix(" [preference]")) }
                #expect(!own.isEmpty && own.allSatisfy { $0.words.contains(words) }, "\(variable): \(own.map(\.words))")
            }
        }
        // Precision is that of every log-probability: of the reference, in training and after it.
        let precise = make(cases.map(\.0) + ["PRECISION=double"])
        #expect(Set(precise.map(\.output)) == Set(["train.reference.uf", "validation.reference.uf"]).union(Self.remade(by: "uf-train")).union(Self.remade(by: "uf-eval")))
        let computing = precise.filter { $0.command == "uf-train" || $0.words.hasPrefix(" [score]") }
        #expect(computing.count == 3 && computing.allSatisfy { $0.words.contains("[--precision][double]") }, "\(computing.map(\.words))")
        #expect(precise.filter { $0.output.hasSuffix(".after.txt") }.allSatisfy { $0.words.contains("[--reference][model]") && $0.words.contains("[--precision][double]") },
                "\(precise.map(\.words))")
        // How much memory a shuffle may take, and threads, change no byte.
        #expect(make(cases.map(\.0) + ["PRECISION=double", "SHUFFLE_MEMORY=5", "JOBS=7"]).isEmpty)
    }

    /// Only a shuffle takes memory for one: uf-pack refuses the option elsewhere.
    @Test func memoryForAShuffleGoesWithAShuffle() {
        let plain = make(["SHUFFLE_MEMORY=5"]).filter { $0.command == "uf-pack" }, shuffled = make(["SHUFFLE_MEMORY=5", "ORDER=shuffled"]).filter { $0.command == "uf-pack" }
        #expect(!plain.isEmpty && plain.allSatisfy { !$0.words.contains("--shuffle-memory") })
        #expect(!shuffled.isEmpty && shuffled.allSatisfy { $0.words.contains("[--shuffle-memory][5]") })
    }

    /// README.md names the options that have no variable; help, threads, outputs and what is said on standard error are every command's own.
    @Test func optionsWithoutAVariableAreNamed() throws {
        func text(_ name: String) throws -> String { String(decoding: try readWholeFile(repositoryRoot + "/" + name), as: UTF8.self) }
        let makefile = try text("pipelines/ultrafeedback.mk")
        let readme = try #require(try text("README.md").split(separator: "\n\n").first { $0.hasPrefix("What these commands take is a variable of that Makefile") })
        let own: Set = ["--help", "--version", "--verbose", "--no-progress", "--jobs", "--output", "--json"]
        for command in ["uf-convert", "uf-tokenize records", "uf-pack run", "uf-train run", "uf-eval score", "uf-eval preference"] {
            let help = String(decoding: Command.shell("\(command) --help | grep -oE '^ +(-[a-z], )?--[a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+'", in: "/").output, as: UTF8.self)
            let options = Set(help.split(separator: "\n").map(String.init)).subtracting(own)
            #expect(!options.isEmpty, "\(command)")
            for option in options {
                let isVariable = makefile.contains("\(option) ") || makefile.contains("\(option),") || makefile.contains("\(option))")
                #expect(isVariable != readme.contains("`\(option)`"), "\(command) \(option)")
            }
        }
    }

    @Test func partsOfAnyNamesAndNumber() {
        let split = "SPLIT=learn=0.5,check-1=0.2,test=0.2"
        let calls = make([split])
        #expect(Set(calls.map(\.output)) == Self.remade(by: "uf-convert", parts: ["learn", "check-1", "test"]))
        #expect(calls.filter { $0.command == "uf-train" }.allSatisfy { $0.words.contains("[--data][w/learn.packed.uf][--reference][w/learn.reference.uf]") })
        // Another part to train on changes no stream; parts that are not evaluated are not touched.
        #expect(Set(make([split, "TRAIN_PART=test"]).map(\.output)) == Self.remade(by: "uf-train", parts: ["learn", "check-1", "test"]))
        #expect(Set(make([split, "TRAIN_PART=test", "EVAL_PARTS=check-1"]).map(\.output)) == ["report"])
        #expect(make([split, "TRAIN_PART=test", "EVAL_PARTS=check-1"]).isEmpty)
        #expect(Set(make([split, "TRAIN_PART=test", "EVAL_PARTS=check-1", "BETA=3"]).map(\.output)) == ["trained", "check-1.before.txt", "check-1.after.txt", "report"])
        #expect(Set(make(["SPLIT=all=1", "WORK=w/one"]).map(\.output)) == Set(Self.remade(by: "uf-convert", parts: ["all"]).map { $0 == "report" ? $0 : "one/" + $0 }))
    }
}
