import JSON
import TestSupport
import Testing

/// What every command does with bad input: the documented status, one line that says where and what, and no file under the output's name.
@Suite struct BadInputTests {
    let folder = TemporaryFolder()
    static let stories = Fixtures.path("models/stories260K")
    static let raw = Fixtures.path("ultrafeedback/binarized.jsonl.gz")

    /// Runs a line and holds it to one error line; FOLDER in `message` stands for the temporary folder.
    private func expect(_ script: String, _ status: Int32, _ message: String, output: String? = "out.uf", sourceLocation: SourceLocation = #_sourceLocation) {
        let outcome = Command.shell(script, in: folder.path)
        #expect(outcome.status == status, "\(script): \(outcome.errors)", sourceLocation: sourceLocation)
        #expect(outcome.errors == message + "\n", sourceLocation: sourceLocation)
        if let output { #expect(!folder.contents.contains(output), "\(script) left \(output)", sourceLocation: sourceLocation) }
        #expect(folder.contents.allSatisfy { !$0.contains(".tmp") }, "a temporary file is left: \(folder.contents)", sourceLocation: sourceLocation)
    }

    /// A short chain of streams to break: rated.uf, tokens.uf, packed.uf of the first records.
    private func makeStreams(of lines: String = "head -20") {
        let made = Command.shell(
            """
            zcat \(Self.raw) | \(lines) > raw.jsonl
            uf-convert raw.jsonl -o rated.uf
            uf-tokenize rated.uf --tokenizer \(Self.stories) --template plain -o tokens.uf
            uf-pack tokens.uf --max-length 512 --overlong drop -o packed.uf
            """, in: folder.path)
        #expect(made.status == 0, "\(made.errors)")
    }

    @Test func missingFile() {
        expect("uf-convert absent.jsonl -o out.uf", 66, "uf-convert: absent.jsonl: cannot be opened for reading: No such file or directory")
        expect("uf-tokenize absent.uf --tokenizer \(Self.stories) --template plain -o out.uf", 66, "uf-tokenize: absent.uf: cannot be opened for reading: No such file or directory")
        expect("uf-pack absent.uf --max-length 512 -o out.uf", 66, "uf-pack: absent.uf: cannot be opened for reading: No such file or directory")
        expect("uf-records check --full absent.uf", 66, "uf-records: absent.uf: cannot be opened for reading: No such file or directory", output: nil)
        expect("uf-eval score absent.uf --model \(Self.stories) -o out.uf", 66, "uf-eval: absent.uf: cannot be opened for reading: No such file or directory")
        expect("uf-train \(Self.stories) --data absent.uf -o out.uf", 66, "uf-train: absent.uf: cannot be opened for reading: No such file or directory")
    }

    @Test func invalidJSONNamesItsLine() {
        let made = Command.shell("zcat \(Self.raw) | head -3 > raw.jsonl; echo '{\"prompt\": nul}' >> raw.jsonl", in: folder.path)
        #expect(made.status == 0)
        expect("uf-convert raw.jsonl -o out.uf", 65, "uf-convert: raw.jsonl: line 4, column 12: expected a value, found 'n' (--on-bad-record skip to continue)")
    }

    @Test func cutArchive() {
        let made = Command.shell("head -c 60000 \(Self.raw) > cut.jsonl.gz", in: folder.path)
        #expect(made.status == 0)
        let outcome = Command.shell("uf-convert cut.jsonl.gz -o out.uf", in: folder.path)
        #expect(outcome.status == 65)
        #expect(outcome.errors.hasPrefix("uf-convert: cut.jsonl.gz: ") && outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        #expect(folder.contents == ["cut.jsonl.gz"])
    }

    /// A command that dies in the middle of a pipe: whoever reads from it sees that the end is missing, without `pipefail`.
    @Test func damageTravelsDownThePipe() {
        makeStreams()
        let outcome = Command.shell("head -c 5000 rated.uf | uf-tokenize --tokenizer \(Self.stories) --template plain 2>told | uf-pack --max-length 512 --overlong drop -o out.uf", in: folder.path)
        #expect(outcome.status == 65)
        #expect(outcome.errors.hasPrefix("uf-pack: standard input: frame 1 at byte ")
            && outcome.errors.hasSuffix(", without its end mark: it was cut, or the command that wrote it failed\n"), "\(outcome.errors)")
        #expect(!folder.contents.contains("out.uf"))
        let told = String(decoding: Command.shell("cat told", in: folder.path).output, as: UTF8.self)
        #expect(told.hasPrefix("uf-tokenize: standard input: frame 1 at byte ") && told.split(separator: "\n").count == 1, "\(told)")
    }

    @Test func fullDisk() {
        makeStreams()
        for script in ["uf-convert raw.jsonl > /dev/full", "uf-pack tokens.uf --max-length 512 > /dev/full", "uf-records view rated.uf > /dev/full"] {
            let outcome = Command.shell(script, in: folder.path)
            #expect(outcome.status == 74, "\(script)")
            #expect(outcome.errors.hasSuffix(": standard output: writing failed at byte 0: No space left on device\n"), "\(script): \(outcome.errors)")
        }
        expect("uf-pack tokens.uf --max-length 512 --overlong drop -o /dev/full 2>&1 >/dev/null | tail -1 >&2; exit ${PIPESTATUS[0]}", 74, "uf-pack: /dev/full: writing failed at byte 0: No space left on device")
        expect("uf-convert raw.jsonl -o absent/out.uf", 73, "uf-convert: absent/out.uf: cannot be created: No such file or directory")
    }

    @Test func closedPipe() {
        makeStreams()
        // SIGPIPE ends a filter silently; where the parent ignores it, the write's error is told. `view` and `head` have done what was asked.
        let killed = Command.shell("uf-convert raw.jsonl | true; echo ${PIPESTATUS[0]}", in: folder.path)
        #expect(["141\n", "0\n"].contains(String(decoding: killed.output, as: UTF8.self)) && killed.errors.isEmpty, "\(killed.errors)")
        let told = Command.shell("trap '' PIPE; (sleep 0.3; uf-convert raw.jsonl; echo $? >&2) | true", in: folder.path)
        #expect(told.errors == "uf-convert: standard output: writing failed at byte 0: Broken pipe\n74\n")
        let seen = Command.shell("for i in $(seq 200); do cat rated.uf >/dev/null; done; uf-records view rated.uf | head -1 >/dev/null; echo ${PIPESTATUS[0]}", in: folder.path)
        #expect(String(decoding: seen.output, as: UTF8.self) == "0\n" && seen.errors.isEmpty, "\(seen.errors)")
    }

    @Test func wrongKindOfStream() {
        makeStreams()
        expect("uf-pack rated.uf --max-length 512 -o out.uf", 65, "uf-pack: rated.uf: a stream of rated records, expected tokens (uf-tokenize makes them)")
        expect("uf-tokenize raw.jsonl --tokenizer \(Self.stories) --template plain -o out.uf", 65,
            "uf-tokenize: raw.jsonl: frame 0 at byte 0: no frame starts here (the sync bytes F5 55 46 52 0D 0A 1A 0A are missing)")
    }

    @Test func everyFlippedBlockIsRefused() {
        makeStreams()
        for offset in [100, 5_000, 9_000] {
            let outcome = Command.shell(
                """
                cp rated.uf bad.uf
                printf '\\x5a' | dd of=bad.uf bs=1 seek=\(offset) conv=notrunc 2>/dev/null
                uf-records check --full bad.uf
                """, in: folder.path)
            #expect(outcome.status == 65, "offset \(offset): \(outcome.errors)")
        }
    }

    /// A folder whose side files are damaged does not pass for one that has none.
    @Test func wrongTypesInATokenizerFolder() {
        makeStreams()
        let made = Command.shell("mkdir m && cp \(Self.stories)/* m && chmod -R u+w m", in: folder.path)
        #expect(made.status == 0)
        let bench = "uf-eval bench --model m --tasks arc_challenge --data \(Fixtures.path("benchmarks")) --limit 1 -o out.uf", tokenize = "uf-tokenize rated.uf --tokenizer m --template plain -o out.uf"
        for (written, file, message) in [
            ("[]", "tokenizer_config.json", "is an array; an object was expected"),
            (#"{"bos_token": 1}"#, "tokenizer_config.json", #"bos_token is 1; expected a string, an object with the string "content", or null"#),
            (#"{"eos_token": false}"#, "tokenizer_config.json", #"eos_token is a boolean; expected a string, an object with the string "content", or null"#),
        ] {
            for script in [tokenize, bench] { expect("echo '\(written)' > m/\(file); \(script)", 65, "\(script.prefix { $0 != " " }): m/\(file): \(message)") }
        }
        expect("rm m/tokenizer_config.json; sed -i 's/\"max_position_embeddings\": *[0-9]*/\"max_position_embeddings\": \"512\"/' m/config.json; \(tokenize)", 65,
            "uf-tokenize: m/config.json: max_position_embeddings is a string; expected a whole number from 1")
    }

    /// A shard made with another tokenizer than the model's.
    @Test func tokenizerOfAnotherModel() {
        makeStreams()
        let made = Command.shell(
            """
            gzip -dc \(Fixtures.path("tokenizers/gpt2/tokenizer.json.gz")) > gpt2.json
            uf-tokenize rated.uf --tokenizer gpt2.json --template plain --bos none --eos '<|endoftext|>' -o gpt2.tokens.uf
            uf-pack gpt2.tokens.uf --max-length 512 --overlong drop -o gpt2.packed.uf
            """, in: folder.path)
        #expect(made.status == 0, "\(made.errors)")
        for script in ["uf-train \(Self.stories) --data gpt2.packed.uf -o out.uf", "uf-eval score gpt2.packed.uf --model \(Self.stories) -o out.uf"] {
            let outcome = Command.shell(script, in: folder.path)
            #expect(outcome.status == 65, "\(script): \(outcome.errors)")
            #expect(outcome.errors.contains("gpt2.packed.uf") && outcome.errors.contains("tokenizer") && outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
            #expect(!folder.contents.contains("out.uf"))
        }
    }

    /// A record longer than the model's context is refused by name, not computed with positions that the model never saw.
    @Test func recordBeyondTheContext() {
        makeStreams(of: "tail -20")
        let made = Command.shell("uf-pack tokens.uf --max-length 4096 -o long.uf", in: folder.path)
        #expect(made.status == 0, "\(made.errors)")
        for script in ["uf-train \(Self.stories) --data long.uf -o out.uf", "uf-eval score long.uf --model \(Self.stories) -o out.uf"] {
            let outcome = Command.shell(script, in: folder.path)
            #expect(outcome.status == 65, "\(script): \(outcome.errors)")
            #expect(outcome.errors.contains("512") && outcome.errors.contains("context") && outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        }
    }

    /// With standard error closed, the first file that is opened must not take its number and receive the messages.
    @Test func closedStandardErrorLeavesTheDataAlone() {
        makeStreams()
        let outcome = Command.shell(
            """
            cp \(Fixtures.path("ultrafeedback/odd.jsonl")) odd.jsonl
            uf-convert odd.jsonl -o one.uf 2>/dev/null && uf-convert odd.jsonl -o two.uf 2>&- && cmp one.uf two.uf && uf-records check --full two.uf
            uf-convert odd.jsonl >&-; echo $?
            """, in: folder.path)
        #expect(String(decoding: outcome.output, as: UTF8.self).hasSuffix("\n74\n"), "\(outcome.errors)")
        #expect(outcome.errors.contains("standard output: writing failed at byte 0: Bad file descriptor"), "\(outcome.errors)")
    }

    /// An output may not be an input, nor share its place with the report; a report that fails leaves no stream.
    @Test func outputsThatMeet() {
        makeStreams()
        expect("uf-convert raw.jsonl -o raw.jsonl", 64, "uf-convert: raw.jsonl: both input and output; the output would replace the input (write to another name)")
        expect("uf-pack ./tokens.uf --max-length 512 -o tokens.uf", 64, "uf-pack: ./tokens.uf: both input and output; the output would replace the input (write to another name)")
        expect("uf-tokenize rated.uf --tokenizer \(Self.stories) --template plain -o rated.uf", 64, "uf-tokenize: rated.uf: both input and output; the output would replace the input (write to another name)")
        expect("uf-convert raw.jsonl -o out.uf --report out.uf", 64, "uf-convert: out.uf: the report and the stream cannot go to the same place")
        expect("uf-convert raw.jsonl -o out.uf --report absent/report.json", 73, "uf-convert: absent/report.json: cannot be created: No such file or directory")
        expect("uf-pack tokens.uf --max-length 512 -o out.uf --report /dev/full", 74, "uf-pack: /dev/full: writing failed at byte 0: No space left on device")
    }

    /// Training that could not have learned what was asked does not end as if it had.
    @Test func trainingThatLearnsNothing() {
        makeStreams()
        expect("uf-train \(Self.stories) --data packed.uf --lambda fixed:scor=1 -o out.uf", 65, "uf-train: packed.uf: no record has the dimension scor that --lambda names; the data has score")
        expect("uf-train \(Self.stories) --data packed.uf --batch 1000 -o out.uf", 64,
            "uf-train: the learning rate is 0 in all of the run's 1 step, because the warmup begins there: nothing would be learned (--warmup 0, more --epochs or a smaller --batch)")
        expect("uf-train \(Self.stories) --data packed.uf --batch 1000 --warmup 0 --learning-rate 1e300 -o out.uf", 65,
            "uf-train: packed.uf: the last step left weights that are not finite numbers; nothing is written (a smaller --learning-rate, or --clip)")
    }

    @Test func usageErrorsAreOneLine() {
        makeStreams()
        expect("uf-pack tokens.uf --no-such-option", 64, "uf-pack: Unknown option '--no-such-option' (uf-pack --help tells more)")
        expect("uf-train \(Self.stories) --data packed.uf -o out.uf --beta 0", 64, "uf-train: --beta takes a number above 0, at most 1e6 (uf-train --help tells more)")
        #expect(Command.shell("uf-convert raw.jsonl -j1 -o a.uf && uf-convert raw.jsonl -j 2 -o b.uf && cmp a.uf b.uf", in: folder.path).status == 0)
    }

    /// The model's context travels from its folder through the tokens to uf-pack.
    @Test func contextLengthComesFromTheModel() {
        makeStreams()
        #expect(Command.shell("uf-pack tokens.uf --overlong drop -o default.uf && cmp default.uf packed.uf", in: folder.path).status == 0)
    }

    @Test func aTerminalIsNoPlaceForRecords() {
        makeStreams()
        // `script` gives the command a terminal for standard output.
        let outcome = Command.shell("command -v script >/dev/null || { echo skip; exit 0; }; script -qec 'uf-convert raw.jsonl' /dev/null; echo $?", in: folder.path)
        let text = String(decoding: outcome.output, as: UTF8.self)
        if text != "skip\n" { #expect(text.contains("a record stream is binary and would garble the terminal") && text.hasSuffix("64\n"), "\(text)") }
    }

    /// A file that another process cuts while it is mapped: a message and a status, no bare signal.
    @Test func aFileThatShrinksIsAnError() {
        let outcome = Command.shell(
            """
            for i in $(seq 40); do zcat \(Command.quoted(Fixtures.path("ultrafeedback/binarized.jsonl.gz"))); done | uf-convert -o big.uf 2>/dev/null
            uf-records view big.uf 2>errors | { sleep 0.5; truncate -s 3000 big.uf; cat > /dev/null; }; status=${PIPESTATUS[0]}
            cat errors >&2; exit $status
            """, in: folder.path)
        #expect(outcome.status == 74 || outcome.status == 65, "\(outcome.status) \(outcome.errors)")
        #expect(outcome.errors.hasPrefix("uf-records: ") && outcome.errors.hasSuffix("\n"), "\(outcome.errors)")
    }
}
