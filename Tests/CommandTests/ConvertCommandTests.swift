import Glibc
import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing

/// uf-convert as a user runs it.
@Suite struct ConvertCommandTests {
    private let folder = TemporaryFolder()
    private let fixtures = Command.quoted(Fixtures.path("ultrafeedback"))

    private func run(_ script: String) -> Command.Outcome { Command.shell("F=\(fixtures); " + script, in: folder.path) }

    private func records(_ bytes: [UInt8]) throws -> (records: [RatedRecord], head: StreamHead, tail: StreamTail?) {
        let reader = try RecordReader<RatedRecord>(MemorySource(bytes))
        var records: [RatedRecord] = []
        while let record = try reader.next() { records.append(record) }
        return (records, reader.stream.head, reader.stream.tail)
    }

    @Test func convertsFilesOfAllKindsInOrder() throws {
        let outcome = run("uf-convert --missing floor --temperature 2 $F/evol_instruct-one.jsonl $F/binarized.jsonl.gz $F/odd.jsonl")
        #expect(outcome.status == 0)
        #expect(outcome.errors == "uf-convert: dropped 3 of 317 records: 2 with fewer than two responses, 1 without a dimension that has two ratings; "
                + "ratings not there: 6 N/A, 11 missing, 2 null, 5 out of range; kept 1 empty response, 1 repeated prompt\n")
        let (records, head, tail) = try records(outcome.output)
        #expect(records.count == 314)
        #expect(records.map(\.origin.input) == [1] + Array(repeating: 2, count: 300) + Array(repeating: 3, count: 13))
        #expect(head.settings == ["missing": "floor", "temperature": 2.0])
        #expect(head.provenance.arguments == ["--from", "auto", "--missing", "floor", "--temperature", "2.0", "--on-bad-record", "stop"].map { .text($0) })
        #expect(tail?.inputs.count == 3)
        #expect(tail?.counts["records"]?["kept"] == 314)
    }

    @Test func aCleanSuccessIsSilent() {
        let outcome = run("uf-convert $F/evol_instruct-one.jsonl -o out.uf")
        #expect(outcome.status == 0 && outcome.errors.isEmpty && outcome.output.isEmpty)
        #expect(folder.contents == ["out.uf"])
    }

    @Test func bytesDoNotDependOnThreadsFilesOrPipes() {
        let outcome = run("""
            uf-convert -j 1 $F/binarized.jsonl.gz $F/vicuna_bench.jsonl.gz $F/odd.jsonl -o 1.uf
            for j in 2 5; do uf-convert -j $j $F/binarized.jsonl.gz $F/vicuna_bench.jsonl.gz $F/odd.jsonl > $j.uf; cmp 1.uf $j.uf || exit 1; done
            zcat $F/binarized.jsonl.gz > plain; zcat $F/vicuna_bench.jsonl.gz | xz > v.xz
            cat $F/odd.jsonl | uf-convert plain v.xz - > pipe.uf; cmp 1.uf pipe.uf || exit 2
            mkdir t; cp plain t/a; zcat $F/vicuna_bench.jsonl.gz > t/b; cp $F/odd.jsonl t/c; tar -C t -czf t.tar.gz a b c
            uf-convert t.tar.gz > tar.uf; cmp 1.uf tar.uf || exit 3
            (zcat $F/binarized.jsonl.gz | head -n 3; printf '{"z":' ) > cut; { echo '['; zcat $F/binarized.jsonl.gz | head -n 3 | paste -sd,; echo ']'; } > array.json
            zcat $F/binarized.jsonl.gz | head -n 3 > three
            uf-convert --report r.json array.json > array.uf && uf-convert three > three.uf || exit 4
            """)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect((try? records(readWholeFile(folder.file("array.uf"))).records) == (try? records(readWholeFile(folder.file("three.uf"))).records))
    }

    @Test func provenanceMakesTheSameBytesAgain() throws {
        let first = run("uf-convert --split 'a b=0.7,c=0.2' --part 'a b' --missing mean --temperature 0.7 --rating-range 0..6 --licence odd=Apache-2.0 --on-bad-record skip $F/odd.jsonl $F/bad.jsonl $F/vicuna_bench.jsonl.gz")
        #expect(first.status == 0)
        let (_, head, tail) = try records(first.output)
        #expect(tail?.licences == ["odd": "Apache-2.0"])
        let script = try AtomicFile(path: folder.file("again.sh"))
        try script.write(Explanation.script(head, #require(tail)))
        try script.finish()
        let again = run("zcat $F/vicuna_bench.jsonl.gz > v; INPUT1=$F/odd.jsonl INPUT2=$F/bad.jsonl INPUT3=v bash again.sh")
        #expect(again.status == 0, "\(again.errors)")
        #expect(again.output == first.output)
    }

    @Test func theReportHoldsCountsAndDigests() throws {
        #expect(run("uf-convert $F/odd.jsonl --report r.json > /dev/null").status == 0)
        let report = try JSON.parse(readWholeFile(folder.file("r.json")))
        #expect(report["counts"]?["records"]?["dropped"]?["fewer_than_two_responses"] == 2)
        #expect(report["inputs"]?[0]?["bytes"]?.int == (try readWholeFile(Fixtures.path("ultrafeedback/odd.jsonl"))).count)
    }

    /// Every count of a data set in UltraFeedback's layout whose oddities are known, under the names that they have there.
    @Test(.enabled(if: SharedFolder.has("tools/synthesize_ultrafeedback.py"), "needs ../shared/tools/synthesize_ultrafeedback.py"))
    func theReportMeetsKnownCounts() throws {
        let tool = try #require(SharedFolder.path("tools/synthesize_ultrafeedback.py"))
        let made = run("python3 \(Command.quoted(tool)) 1500 d > /dev/null && uf-convert d/*.jsonl --report r.json -o /dev/null 2> errors")
        #expect(made.status == 0, "\(made.errors)")
        let report = try JSON.parse(readWholeFile(folder.file("r.json"))), expected = try JSON.parse(readWholeFile(folder.file("d/expected.json")))
        for (dimension, counts) in try #require(expected["ratings"]?.object).map({ ($0.key.description, $0.value) }) {
            for member in try #require(counts.object) { #expect(report["ratings"]?[dimension]?[member.key.description] == member.value, "\(dimension) \(member.key)") }
        }
        #expect(report["ratings"]?["honesty"]?["n/a"]?.int ?? 0 > 50)
        for member in try #require(expected["completions"]?.object) { #expect(report["completions"]?[member.key.description] == member.value, "\(member.key) completions") }
        #expect(report["completions"]?.object?.count == expected["completions"]?.object?.count)
        for name in ["empty_responses", "duplicate_prompts"] { #expect(report[name] == expected[name], "\(name)") }
        let inputs = try #require(report["inputs"]?.array)
        #expect(inputs.count == 6)
        for input in inputs {
            let name = try #require(input["name"]?.string)
            let file = try #require(expected["files"]?[AtomicFile.lastComponent(of: name)])
            #expect(input["records"] == file["records"] && input["bytes"] == file["bytes"])
        }
        // As often as it was rated a dimension stands in the histograms.
        let honesty = try #require(report["statistics"]?["all"]?["dimensions"]?["honesty"])
        #expect(honesty["histogram"]?.array?.reduce(0) { $0 + ($1["count"]?.int ?? 0) } == expected["ratings"]?["honesty"]?["rated"]?.int)
    }

    /// For people: with -v, and never wider than a terminal.
    @Test func tablesAreTold() {
        let outcome = run("""
            printf '%s\\n' '{"source":"\\u001b[31m a source with a very long name that no table can show in full, and then some more of it","instruction":"p","completions":[' \
            '{"response":"a","annotations":{"quality of everything that there is to say about it":{"Rating":"1"},"b":{"Rating":"2.5"}}},{"response":"bb","annotations":{"b":{"Rating":"2"}}}]}' | tr -d '\\n' > wide.jsonl
            uf-convert $F/odd.jsonl $F/bad.jsonl wide.jsonl --on-bad-record skip -v -o o.uf && uf-convert $F/evol_instruct-one.jsonl -o o.uf
            """)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = outcome.errors.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("uf-convert: ") }
        #expect(lines.allSatisfy { $0.count <= 100 && !$0.contains("\u{1B}") }, "\(lines.filter { $0.count > 100 })")
        for part in ["records read", "first places", "  with a rating that is out of range", "odd.jsonl: line ", "  helpfulness", "response ", "honesty, ratings", "correlation (Pearson)", "####"] {
            #expect(outcome.errors.contains(part), "\(part)")
        }
    }

    @Test func partsOfASplitShareNoPrompt() throws {
        let outcome = run("for p in train test; do uf-convert --split train=0.8,test=0.2 --part $p $F/binarized.jsonl.gz -o $p.uf || exit 1; done")
        #expect(outcome.status == 0 && outcome.errors.isEmpty)
        let train = try records(readWholeFile(folder.file("train.uf"))).records, test = try records(readWholeFile(folder.file("test.uf"))).records
        #expect(train.count + test.count == 300 && test.count > 30)
        #expect(Set(train.map { $0.turns[0].content }).isDisjoint(with: test.map { $0.turns[0].content }))
        // The demonstration needs a hundred short records, in both parts.
        let short = [train, test].map { $0.count { $0.turns[0].content.count + ($0.responses.map(\.count).max() ?? 0) < 750 } }
        #expect(short[0] + short[1] >= 100 && short[1] >= 15, "\(short)")
    }

    @Test(arguments: [
        ("uf-convert $F/bad.jsonl -o o.uf", 65, "uf-convert: $F/bad.jsonl: line 2, column 19: expected a key in double quotes, found 'i' (--on-bad-record skip to continue)\n"),
        ("head -c 100000 $F/binarized.jsonl.gz > cut.jsonl.gz; uf-convert cut.jsonl.gz -o o.uf", 65,
         "uf-convert: cut.jsonl.gz: the gzip data end early, after byte 100000: the file is cut; copy or fetch it again\n"),
        ("cp $F/odd.jsonl a; ln -s a l; tar -cf t.tar a l; uf-convert t.tar -o o.uf", 65,
         "uf-convert: t.tar: l: a link or device inside an archive, which is not read; pack the files themselves\n"),
        ("cp $F/odd.jsonl a; ln a l; tar -czf t.tar a l; uf-convert t.tar -o o.uf", 65,
         "uf-convert: t.tar: l: a link or device inside an archive, which is not read; pack the files themselves\n"),
        ("uf-convert no.jsonl -o o.uf", 66, "uf-convert: no.jsonl: cannot be opened for reading: No such file or directory\n"),
        ("uf-convert $F -o o.uf", 66, "uf-convert: $F: cannot be opened for reading: Is a directory\n"),
        ("uf-convert $F/odd.jsonl -o no/o.uf", 73, "uf-convert: no/o.uf: cannot be created: No such file or directory\n"),
        ("uf-convert $F/odd.jsonl > /dev/full", 74, "uf-convert: standard output: writing failed at byte 0: No space left on device\n"),
        ("uf-convert --strict $F/odd.jsonl -o o.uf", 65, "uf-convert: $F/odd.jsonl: line 2: the helpfulness rating of response 3 is null (--strict stops at the first oddity)\n"),
        ("uf-convert --licence odd=MIT --licence old=MIT $F/odd.jsonl -o o.uf", 65, "uf-convert: --licence: no record has a source \"old\"; the sources are odd, odd/other, ultrafeedback\n"),
        ("exec 0<&-; uf-convert -o o.uf", 74, "uf-convert: standard input: reading failed at byte 0: Bad file descriptor\n"),
    ])
    func failuresSayWhatAndWhereAndLeaveNoFile(script: String, status: Int32, message: String) {
        let outcome = run(script)
        #expect(outcome.status == status, "\(script)")
        #expect(outcome.errors == message.replacing("$F", with: Fixtures.path("ultrafeedback")), "\(script)")
        #expect(!folder.contents.contains("o.uf"), "\(script)")
    }

    @Test(arguments: [
        ("--split train=1,test=1", "uf-convert: the shares of the split sum to 2, expected a sum of 1"),
        ("--part train", "uf-convert: --part needs --split NAME=SHARE,..."),
        ("--split a=0.5,b=0.5 --part c", "uf-convert: no part \"c\" in the split; its parts are a, b"),
        ("--split a=0.9,b=0.2 --part a", "uf-convert: the shares of the split sum to 1.1, expected a sum of 1, or less to leave prompts out"),
        ("--temperature 0", "uf-convert: The value '0' is invalid for '--temperature <T>': \"0\" is no number above 0 (uf-convert --help tells more)"),
        ("--temperature nan", "uf-convert: The value 'nan' is invalid for '--temperature <T>': \"nan\" is no number above 0"),
        ("--temperature -1", "uf-convert: The value '-1' is invalid for '--temperature <T>': \"-1\" is no number above 0"), ("-j -1", "uf-convert: -j takes a number from 1 to 1024"),
        ("--sample -5", "uf-convert: --sample takes a number from 1"), ("--scale -1:-2", "uf-convert: The value '-1:-2' is invalid for '--scale <low:high>': \"-1:-2\" is no range, -1 is not below -2"),
        ("--dimensions a,a", "uf-convert: The value 'a,a' is invalid for '--dimensions <name,...>': the dimension a stands twice"),
        ("--from other", "uf-convert: The value 'other' is invalid for '--from <source>'. Please provide one of the following: auto, ultrafeedback, pku-saferlhf,"),
        ("--split a=0.5,b=0.5 --shards 2 -o x-%05d-of-%05d.uf", "uf-convert: --split writes all parts, --shards divides one of them: give --part NAME"),
        ("--licence MIT", "uf-convert: --licence takes SOURCE=LICENCE, not \"MIT\""), ("- -", "uf-convert: standard input (-) is named twice"),
        ("--missing none", "uf-convert: The value 'none' is invalid for '--missing <policy>'"), ("--rating-range 5..1", "uf-convert: The value '5..1' is invalid for '--rating-range <low..high>': \"5..1\" is no range, 5 is not below 1"),
    ])
    func wrongCommandLines(options: String, message: String) {
        let outcome = run("uf-convert \(options) $F/odd.jsonl > out")
        #expect(outcome.status == 64, "\(options)")
        #expect(outcome.errors.hasPrefix(message), "\(options): \(outcome.errors)")
    }

    @Test func aFailedCommandLeavesTheOldFile() throws {
        #expect(run("echo old > o.uf; uf-convert $F/bad.jsonl -o o.uf").status == 65)
        #expect(try readWholeFile(folder.file("o.uf")) == Array("old\n".utf8))
        #expect(folder.contents == ["o.uf"], "no temporary file stays")
    }

    @Test func aClosedPipeEndsItSilently() {
        let outcome = run("uf-convert $F/vicuna_bench.jsonl.gz | head -c 10 > /dev/null; echo ${PIPESTATUS[0]}")
        #expect(String(decoding: outcome.output, as: UTF8.self) == "141\n" && outcome.errors.isEmpty)
    }

    /// Dimensions from the text itself, and prompts that stand once: from the command to what explain prints.
    @Test func ratedAndDeduplicated() throws {
        let folder = TemporaryFolder(), raw = Command.quoted(Fixtures.path("ultrafeedback/binarized.jsonl.gz"))
        let made = Command.shell(
            """
            zcat \(raw) | head -20 > raw.jsonl
            # The same prompt in another form, and one with a word more.
            head -1 raw.jsonl | sed 's/"prompt": *"/&  /' >> raw.jsonl
            printf '%s\\n' '{"prompt":"Name the five largest cities of the country by population, in order, with a short note on each of them, please.","chosen":"- A","rejected":"No","score_chosen":5,"score_rejected":1}' >> raw.jsonl
            printf '%s\\n' '{"prompt":"Name the five largest cities of the country by population, in order, with a short note on each of them, please!  Thanks","chosen":"B","rejected":"No","score_chosen":5,"score_rejected":1}' >> raw.jsonl
            for mode in exact near; do uf-convert raw.jsonl --rate brevity,non-refusal --dedup $mode -j 2 --report $mode.json -o $mode.uf 2>$mode.txt; done
            uf-convert raw.jsonl --rate brevity,non-refusal --dedup near -j 1 2>/dev/null | cmp - near.uf
            uf-records explain near.uf > again.sh; INPUT1=raw.jsonl bash again.sh 2>/dev/null | cmp - near.uf
            """, in: folder.path)
        #expect(made.status == 0 && made.errors.isEmpty, "\(made.errors)")
        for (mode, dropped) in [("exact", 1), ("near", 2)] {
            let counts = try JSON.parse(readWholeFile(folder.file(mode + ".json")))["counts"]?["records"]
            #expect(counts?["dropped"]?["duplicate_prompt"]?.int == dropped && counts?["kept"]?.int == 23 - dropped, "\(mode)")
            #expect(String(decoding: try readWholeFile(folder.file(mode + ".txt")), as: UTF8.self).contains("dropped \(dropped) of 23 records: \(dropped) whose prompt an earlier one has"), "\(mode)")
        }
        let first = try JSON.parse(Command.shell("uf-records view near.uf | tail -1", in: folder.path).output)
        #expect(first["dimensions"]?.array?.compactMap(\.string) == ["score", "brevity", "non_refusal"], "\(first)")
        func message(_ options: String) -> String { String(Command.shell("uf-convert raw.jsonl \(options)", in: folder.path).errors.prefix { $0 != "\n" }) }
        #expect(message("--rate brevity,wit").hasPrefix("uf-convert: --rate: no rater \"wit\"; expected names among brevity,formatting,"))
        #expect(message("--rate brevity,brevity").hasPrefix("uf-convert: --rate names brevity twice"))
    }

    /// Repeats so far behind that they are not held in memory are found by temporary files, and where there is no room for those the command fails cleanly.
    @Test func repeatsFarBehindAreCounted() throws {
        let made = run(#"seq 65600 | awk '{ i = $1 % 65590; printf "{\"instruction\":\"p%d\",\"completions\":[", i;"#
            + #" for (k = 1; k < 3; k++) printf "%s{\"response\":\"r%d\",\"annotations\":{\"d\":{\"Rating\":\"%d\"}}}", (k > 1 ? "," : ""), k, k; print "]}" }' > many.jsonl"#)
        #expect(made.status == 0 && made.errors.isEmpty)
        let missing = run("TMPDIR=/absent uf-convert many.jsonl -o missing.uf")
        #expect(missing.status == 73 && missing.errors == "uf-convert: a temporary file in /absent: cannot be created: No such file or directory\n")
        let counted = run("uf-convert many.jsonl -o counted.uf")
        #expect(counted.status == 0 && counted.errors == "uf-convert: kept 10 repeated prompts, 10 repeated records\n")
        let strict = run("uf-convert --strict many.jsonl -o strict.uf")
        #expect(strict.status == 65 && strict.errors == "uf-convert: many.jsonl: line 65591: the prompt of an earlier record stands here again (--strict stops at the first oddity)\n")
        #expect(folder.contents == ["counted.uf", "many.jsonl"])
    }
}
