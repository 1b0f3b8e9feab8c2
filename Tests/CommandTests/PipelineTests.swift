import JSON
import TestSupport
import Testing

/// The pipeline's promises, on forty real records: the same bytes whatever the threads and whether through pipes or files; Make remakes what a
/// change touches and nothing else; a stream tells how to make it again.
@Suite(.serialized) struct PipelineTests {
    let folder = TemporaryFolder()

    private func make(_ arguments: String, work: String) -> Command.Outcome {
        Command.shell(
            """
            make --no-print-directory -f pipelines/ultrafeedback.mk BIN=\(Command.quoted(Command.folder)) RAW=\(folder.file("raw.jsonl")) \
              MODEL=fixtures/models/stories260K TEMPLATE=plain MAX_LENGTH=512 MAX_TOKENS=1024 OVERLONG=drop SPLIT=train=0.7,validation=0.3 \
              EPOCHS=1 BATCH=4 LEARNING_RATE=1e-4 WORK=\(folder.file(work)) \(arguments)
            """, in: repositoryRoot)
    }

    private func prepare() {
        let made = Command.shell("zcat \(Fixtures.path("ultrafeedback/binarized.jsonl.gz")) | head -40 > raw.jsonl", in: folder.path)
        #expect(made.status == 0)
    }

    @Test func sameBytesForAnyThreadsPipesAndFiles() {
        prepare()
        let one = make("JOBS=1 report", work: "one")
        #expect(one.status == 0, "\(one.errors)")
        let two = make("JOBS=2 -j2 report", work: "two")
        #expect(two.status == 0, "\(two.errors)")
        let pipes = make("JOBS=3 pipes", work: "two")
        #expect(pipes.status == 0, "\(pipes.errors)")
        let same = Command.shell(
            """
            for stage in rated tokens packed reference; do for part in train validation; do
              cmp one/$part.$stage.uf two/$part.$stage.uf || exit 1
              if [ $stage = packed ]; then cmp one/$part.packed.uf two/$part.piped.uf || exit 1; fi
            done; done
            cmp one/trained/model.safetensors two/trained/model.safetensors && cmp one/trained/config.json two/trained/config.json
            cmp one/metrics.jsonl two/metrics.jsonl
            for report in train.before train.after validation.before validation.after; do diff <(sed 's,one/,W/,g' one/$report.txt) <(sed 's,two/,W/,g' two/$report.txt) || exit 1; done
            """, in: folder.path)
        #expect(same.status == 0, "\(String(decoding: same.output, as: UTF8.self))\(same.errors)")
    }

    @Test func makeRemakesWhatAChangeTouches() {
        prepare()
        #expect(make("report", work: "w").status == 0)
        func remade(_ arguments: String) -> Set<String> {
            let before = Command.shell("touch mark; sleep 0.05", in: folder.path)
            #expect(before.status == 0)
            let made = make(arguments, work: "w")
            #expect(made.status == 0, "\(made.errors)")
            let found = Command.shell("find w -newer mark -type f -name '*.uf' -o -newer mark -name 'model.safetensors' -o -newer mark -name 'report.txt' | sort", in: folder.path)
            return Set(String(decoding: found.output, as: UTF8.self).split(separator: "\n").map { String($0.dropFirst(2)) })
        }
        #expect(remade("report") == [])
        #expect(remade("BETA=0.2 report") == ["trained/model.safetensors", "report.txt"])
        #expect(remade("BETA=0.2 report") == [])
        let all: Set = ["packed", "reference"].reduce(into: Set(["trained/model.safetensors", "report.txt"])) { set, stage in
            set.formUnion(["train.\(stage).uf", "validation.\(stage).uf"])
        }
        #expect(remade("BETA=0.2 MAX_TOKENS=2048 report") == all)

        // Inputs older than what was made of the others before them: only their names tell that something changed.
        let old = Command.shell(
            """
            zcat \(Fixtures.path("ultrafeedback/binarized.jsonl.gz")) | tail -n +41 | head -10 > more.jsonl
            cp -r \(Fixtures.path("models/stories260K")) model
            touch -d '2000-01-01' more.jsonl model/* model
            """, in: folder.path)
        #expect(old.status == 0)
        let stages: Set = ["rated", "tokens"].reduce(into: all) { set, stage in set.formUnion(["train.\(stage).uf", "validation.\(stage).uf"]) }
        #expect(remade("BETA=0.2 MAX_TOKENS=2048 RAW='\(folder.file("raw.jsonl")) \(folder.file("more.jsonl"))' report") == stages)
        let retokenized = stages.subtracting(["train.rated.uf", "validation.rated.uf"])
        #expect(remade("BETA=0.2 MAX_TOKENS=2048 RAW='\(folder.file("raw.jsonl")) \(folder.file("more.jsonl"))' MODEL=\(folder.file("model")) report") == retokenized)
    }

    /// Any number of parts of any names: one is trained on, all or some are evaluated, what the shares leave out is in none.
    @Test func everyVariableIsTakenByTheCommands() throws {
        prepare()
        let made = make(
            """
            SPLIT=learn=0.5,check=0.2,test=0.2 EVAL_PARTS='test check' RATING_RANGE=0..10 ON_BAD_RECORD=skip LICENCES='ultrafeedback-binarized=MIT' SYSTEM_TURN="It's a story" BOS=none \
              EOS='</s>' CONTEXT_LENGTH=500 RECORDS_PER_BIN=2 OPEN_BINS=2 ORDER=shuffled ORDER_SEED=3 SHUFFLE_MEMORY=64 LAMBDA=fixed:score=2 REFERENCE=none \
              SCHEDULE=constant WARMUP=0 WEIGHT_DECAY=0.1 ADAM_BETAS=0.9,0.95 ADAM_EPSILON=1e-7 CLIP=0 SEED=5 GRADIENT_GROUPS=2 VALIDATE_EVERY=2 RESAMPLES=150 \
              BOOTSTRAP_SEED=9 report
            """, work: "w")
        #expect(made.status == 0, "\(made.errors)")
        let report = String(decoding: made.output, as: UTF8.self)
        #expect(report.contains("What was learned: test\n") && report.contains("What was learned: check\n") && !report.contains("What was learned: learn\n"), "\(report)")
        #expect(report.contains("Prompts that training never saw: test check.") && report.contains("records no part"), "\(report)")
        let training = try JSON.parse(Command.shell("cat w/trained/training.json", in: folder.path).output)
        let options: [String: JSONValue] = [
            "lambda": "fixed:score=2", "reference": "none", "schedule": "constant", "warmup": "0", "weight_decay": 0.1, "beta2": 0.95, "epsilon": 1e-7, "clip": .null, "seed": "5", "groups": 2,
        ]
        for (name, value) in options { #expect(training["options"]?[name] == value, "\(name): \(training["options"]?[name] ?? .null)") }
        let runs = try #require(try JSON.parse(Command.shell("uf-eval report w/runs.sqlite --json", in: folder.path).output).array)
        let after = try #require(runs.first { $0["label"] == "test-after" })
        #expect(after["options"]?["lambda"] == "fixed:score=2" && after["options"]?["resamples"] == 150 && after["options"]?["seed"] == "9", "\(after)")
        #expect(Command.shell("ls w/test.rated.uf w/learn.rated.uf w/check.after.txt && ! ls w/learn.after.txt", in: folder.path).status == 0)
        let unknown = make("REFERENCE=other report", work: "w")
        #expect(unknown.status == 2 && unknown.errors.contains("REFERENCE is \"other\", expected model or none"), "\(unknown.errors)")
    }

    /// What `explain` prints, run in an empty folder, gives the same file.
    @Test(arguments: ["", "--codec zstd"]) func explainMakesTheFileAgain(codec: String) throws {
        prepare()
        let made = Command.shell(
            """
            uf-convert raw.jsonl --missing floor --split a=0.5,b=0.5 --part a |
              uf-tokenize --tokenizer \(Fixtures.path("models/stories260K")) --template plain --system 'Tell a story; it'\\''s "fine"' |
              uf-pack --max-length 512 --overlong drop --layout rows16 \(codec) -o packed.uf
            uf-records explain packed.uf > again.sh
            mkdir empty; cd empty
            INPUT1=../raw.jsonl TOKENIZER1=\(Fixtures.path("models/stories260K/tokenizer.json")) bash ../again.sh > packed.uf
            cmp packed.uf ../packed.uf
            """, in: folder.path)
        #expect(made.status == 0, "\(made.errors)\n\(String(decoding: Command.shell("cat again.sh", in: folder.path).output, as: UTF8.self))")
    }

    /// A misspelt input is named, and not a stage that cannot be made.
    @Test func missingInputsAreNamed() {
        let makefile = Command.quoted(repositoryRoot + "/pipelines/ultrafeedback.mk"), raw = Command.quoted(Fixtures.path("ultrafeedback/odd.jsonl"))
        let noRaw = Command.shell("make -f \(makefile) BIN=\(Command.quoted(Command.folder)) RAW=nosuch.jsonl MODEL=\(Command.quoted(Fixtures.path("models/stories260K"))) WORK=w", in: folder.path)
        #expect(noRaw.status == 2 && noRaw.errors.contains("make: RAW names nosuch.jsonl, which does not exist\n"), "\(noRaw.errors)")
        let noModel = Command.shell("make -f \(makefile) BIN=\(Command.quoted(Command.folder)) RAW=\(raw) MODEL=nosuch WORK=w", in: folder.path)
        #expect(noModel.status == 2 && noModel.errors.contains("make: MODEL is nosuch, a folder that should hold "), "\(noModel.errors)")
    }
}
