import JSON
import SystemIO
import TestSupport
import Testing

/// cat, split, merge, sort, shuffle, digest, diff and salvage as a user runs them.
@Suite struct RearrangingCommandTests {
    private let folder = TemporaryFolder()
    private static let fixtures = Fixtures.path("streams/version-1")

    private func run(_ script: String) -> Command.Outcome {
        Command.shell(script, in: folder.path, environment: ["F": Self.fixtures, "RAW": Fixtures.path("ultrafeedback/vicuna_bench.jsonl.gz"), "PAIRS": Fixtures.path("ultrafeedback/binarized.jsonl.gz")])
    }

    private func text(_ outcome: Command.Outcome) -> String { String(decoding: outcome.output, as: UTF8.self) }

    private func expect(_ script: String, _ status: Int32 = 0, _ output: String? = nil, errors: String = "", sourceLocation: SourceLocation = #_sourceLocation) {
        let outcome = run(script)
        #expect(outcome.status == status && outcome.errors == errors, "\(script): \(outcome.status): \(outcome.errors)", sourceLocation: sourceLocation)
        if let output { #expect(text(outcome) == output, "\(script)", sourceLocation: sourceLocation) }
    }

    /// v.uf: 59 records of one source.
    private func prepare() { expect(#"uf-convert "$RAW" -o v.uf"#) }

    private func content(_ files: String) -> [String] {
        text(run("uf-records check --full --json \(files) | jq -r .content 2>/dev/null || uf-records check --full \(files) | sed 's/.*content //'")).split(separator: "\n").map(String.init)
    }

    @Test(arguments: ImportCommandTests.streams) func catKeepsRecords(kind: String) throws {
        let lines = String(decoding: try readWholeFile("\(Self.fixtures)/\(kind).jsonl"), as: UTF8.self)
        expect("uf-records cat $F/\(kind)-none.uf $F/\(kind)-zstd.uf | uf-records view", 0, lines + lines)
        expect("cat $F/\(kind)-zlib.uf | uf-records cat --codec zstd | uf-records cat - $F/\(kind)-none.uf --codec zlib -o x.uf && uf-records view x.uf", 0, lines + lines)
        // In blocks of the usual size, whatever those of the inputs.
        expect("uf-records cat $F/\(kind)-none.uf -o a.uf; uf-records cat a.uf --codec zlib | uf-records cat -o b.uf; uf-records digest a.uf $F/\(kind)-zlib.uf | cut -c 1-64 | uniq | wc -l", 0, "1\n")
        #expect(Set(content("a.uf b.uf")).count == 1)
    }

    @Test func catRefusesWhatDoesNotFit() {
        expect("uf-records cat $F/rated-none.uf $F/logps-none.uf -o x.uf", 65,
            errors: "uf-records: \(Self.fixtures)/logps-none.uf: a stream of logps records, but \(Self.fixtures)/rated-none.uf has rated records; streams of one kind can be joined\n")
        prepare()
        expect("uf-records cat v.uf $F/rated-none.uf -o x.uf", 65,
            errors: "uf-records: \(Self.fixtures)/rated-none.uf: its layout differs from that of v.uf; streams made with different options cannot be joined\n")
        func others(_ one: String, _ other: String, _ columns: String) {
            expect("uf-records cat $F/\(one) $F/\(other) -o x.uf", 65, errors: "uf-records: \(Self.fixtures)/\(other): its packed records are laid out otherwise than those of \(Self.fixtures)/\(one) (\(columns)); make both with one release and the same options\n")
        }
        others("packed-none.uf", "gaps-none.uf", "missing: none; unknown: prompt_gaps")
        others("gaps-none.uf", "packed-none.uf", "missing: prompt_gaps; unknown: none")
        expect("uf-records cat v.uf -o v.uf", 64, errors: "uf-records: v.uf: both input and output; the output would replace the input (write to another name)\n")
        expect("uf-records cat - - < v.uf", 64, errors: "uf-records: standard input (-) is named twice\n")
        expect("uf-records cat absent.uf -o x.uf", 66, errors: "uf-records: absent.uf: cannot be opened for reading: No such file or directory\n")
        #expect(folder.contents == ["v.uf"])
    }

    @Test func splitAndJoin() {
        prepare()
        expect("uf-records split --parts 4 v.uf -o p-%.uf && ls p-*; for p in p-*; do uf-records view -c $p; done", 0, "p-000.uf\np-001.uf\np-002.uf\np-003.uf\n15\n15\n15\n14\n")
        expect("cat v.uf | uf-records split --records 20 -o q-%.uf && for q in q-*; do uf-records view -c $q; done", 0, "20\n20\n19\n")
        expect("uf-records merge --by origin p-*.uf -o p.uf; uf-records cat q-*.uf -o q.uf; uf-records merge --by origin p-002.uf p-000.uf p-003.uf p-001.uf -o r.uf")
        #expect(Set(content("v.uf p.uf q.uf r.uf")).count == 1)
        // One part alone is that part, byte for byte.
        expect("uf-records split --parts 4 --part 2 v.uf | cmp - p-002.uf && uf-records split --records 20 --part 2 v.uf | cmp - q-002.uf")
        expect("uf-records split --records 20 --part 3 v.uf -o x.uf", 65, errors: "uf-records: v.uf: 59 records make no part 3 of 20 records each\n")
        expect("uf-records split --records 59 v.uf -o y-%.uf; uf-records split --parts 2 $F/empty.uf -o z-%.uf; uf-records split --records 5 $F/empty.uf -o w-%.uf; ls [w-z]-*", 0, "w-000.uf\ny-000.uf\nz-000.uf\nz-001.uf\n")
        for (options, message) in [
            ("-o a-%.uf", "give --parts or --records, one of them"), ("--parts 2 --records 3 -o a-%.uf", "give --parts or --records, one of them"),
            ("--parts 0 -o a-%.uf", "--parts takes a number from 1 to 256"), ("--parts 257 -o a-%.uf", "--parts takes a number from 1 to 256"), ("--parts 0 --part 0", "--parts takes a number from 1"),
            ("--records 0 -o a-%.uf", "--records takes a number from 1"), ("--parts 2 --part 2", "--part takes the number of a part, from 0 to 1"),
            ("--parts 2 -o a.uf", "-o takes a name with a % where the part's number goes, such as part-%.uf (or give --part to write one part)"),
            ("--parts 2", "-o takes a name with a % where the part's number goes, such as part-%.uf (or give --part to write one part)"),
        ] { expect("uf-records split \(options) v.uf", 64, errors: "uf-records: \(message) (uf-records split --help tells more)\n") }
        expect("for i in 1 2 3 4 5; do echo v.uf; done | xargs uf-records cat -o many.uf; uf-records split --records 1 many.uf -o s-%.uf", 64,
            errors: "uf-records: more than 256 parts of 1 record; give more --records, or write one --part at a time\n")
        #expect(!folder.contents.contains { $0.hasPrefix("a") || $0.hasPrefix("s-") || $0.contains(".tmp") }, "\(folder.contents)")
    }

    @Test func mergeNeedsSortedInputs() {
        prepare()
        expect("uf-records sort --by id v.uf -o s.uf; uf-records split --records 25 s.uf -o t-%.uf; uf-records merge --by id t-001.uf t-002.uf t-000.uf -o m.uf")
        #expect(Set(content("s.uf m.uf")).count == 1)
        expect("uf-records view s.uf --fields id > ids; sort -c ids && wc -l < ids", 0, "59\n")
        let refused = run("uf-records merge --by id s.uf v.uf -o x.uf")
        #expect(refused.status == 65 && refused.errors.hasPrefix(#"uf-records: v.uf: record 2: {"id":""#) && refused.errors.hasSuffix("not sorted by id (uf-records sort --by id sorts it)\n"), "\(refused.errors)")
        expect("uf-records merge --by id $F/packed-none.uf -o x.uf", 64, errors: "uf-records: packed records have no id of their own to be ordered by\n")
        expect("uf-records sort --by origin $F/logps-none.uf -o x.uf", 64, errors: "uf-records: logps records have no origin of their own to be ordered by\n")
        // Equal ids: none is left out, the first input's come first.
        expect("uf-records merge --by id s.uf s.uf | uf-records view -c", 0, "118\n")
        #expect(!folder.contents.contains("x.uf"))
    }

    /// The order depends on seed and records: not on memory, number of inputs or their order.
    @Test func shuffle() {
        prepare()
        expect("uf-records shuffle --seed 5 v.uf -o a.uf; uf-records split --records 7 a.uf -o p-%.uf; uf-records split --parts 3 v.uf -o q-%.uf")
        for (script, same) in [
            ("uf-records shuffle --seed 5 --memory 0.02 v.uf", true), ("uf-records shuffle --seed 5 --memory 0.000001 p-*.uf", true), ("uf-records shuffle --seed 5 q-002.uf q-000.uf q-001.uf", true),
            ("cat v.uf | uf-records shuffle --seed 5 --codec zstd", true), ("uf-records shuffle --seed 6 v.uf", false), ("uf-records shuffle v.uf", false),
        ] {
            expect("\(script) > b.uf")
            #expect((Set(content("a.uf b.uf")).count == 1) == same, "\(script)")
        }
        expect("uf-records digest a.uf b.uf v.uf | cut -c 1-82 | uniq | wc -l", 0, "1\n")
        expect("uf-records diff a.uf v.uf > /dev/null", 1)
        expect("uf-records sort --by origin --memory 0.01 a.uf -o c.uf")
        #expect(Set(content("c.uf v.uf")).count == 1)
        expect("uf-records shuffle --memory 0 v.uf", 64, errors: "uf-records: --memory takes a number of MiB above 0, at most 1048576 (uf-records shuffle --help tells more)\n")
        expect("TMPDIR=/absent uf-records shuffle --memory 0.01 v.uf -o x.uf", 73, errors: "uf-records: a temporary file in /absent: cannot be created: No such file or directory\n")
    }

    /// What is sorted on disk leaves nothing there, however the command ends.
    @Test func temporaryFilesHaveNoName() {
        prepare()
        expect("mkdir t; export TMPDIR=$PWD/t; uf-records shuffle --memory 0.01 v.uf -o a.uf; ls t; head -c 300000 v.uf | uf-records sort --by id --memory 0.01 -o b.uf 2> /dev/null; echo $?; ls t", 0, "65\n")
    }

    @Test func compareReleases() throws {
        prepare()
        expect(
            """
            uf-records view --with-head v.uf > lines; uf-records view v.uf --fields id | cut -d '"' -f 4 > ids
            { head -1 lines; sed -n '2,40p' lines | sed '5s/"models":\\["/"models":["changed /'; sed -n '42,60p' lines; } > edited
            uf-convert "$PAIRS" -o pairs.uf; uf-records import --edited edited -o new.uf
            """)
        let id = text(run("sed -n '40p' ids; sed -n '5p' ids")).split(separator: "\n")
        let expected = [(id[0], "removed"), (id[1], "changed")].sorted { $0.0 < $1.0 }
        for memory in ["", "--memory 0.001"] {
            expect("uf-records digest --compare \(memory) v.uf new.uf", 1, expected.map { "\($0.1) \($0.0)\n" }.joined() + "0 added, 1 removed, 1 changed, 57 same\n")
            expect("uf-records shuffle new.uf | uf-records digest --compare \(memory) --json - v.uf", 1,
                expected.map { #"{"id":"\#($0.0)","change":"\#($0.1 == "removed" ? "added" : "changed")"}"# + "\n" }.joined() + #"{"added":1,"removed":0,"changed":1,"same":57}"# + "\n")
        }
        expect("uf-records shuffle v.uf | uf-records digest --compare v.uf -", 0, "0 added, 0 removed, 0 changed, 59 same\n")
        // A record that stands twice is a change of its id; a bin goes by the ids of its records.
        expect("uf-records split --parts 59 --part 3 v.uf -o one.uf; uf-records cat v.uf one.uf | uf-records digest --compare v.uf - | tail -1", 0, "0 added, 0 removed, 1 changed, 58 same\n")
        expect("uf-records split --records 2 --part 1 $F/packed-none.uf | uf-records digest --compare - $F/packed-zlib.uf", 1, "added id-0\nadded id-1\n2 added, 0 removed, 0 changed, 1 same\n")
        expect("uf-records digest --compare v.uf $F/logps-none.uf", 65,
            errors: "uf-records: \(Self.fixtures)/logps-none.uf: a stream of logps records in other columns than v.uf (rated records); streams of one kind can be compared\n")
        expect(#"uf-records view $F/logps-none.uf | sed 's/id-1/a\\nb/' | uf-records import --kind logps --settings '{"layout":"shared-prefix"}' | uf-records digest --compare $F/logps-none.uf - | head -1"#, 0, #"added "a\nb""# + "\n")
        expect("uf-records digest --compare v.uf", 64, errors: "uf-records: --compare takes two streams, the old and the new (uf-records digest --help tells more)\n")
        expect("uf-records digest -j 1 v.uf > one; uf-records digest -j 3 v.uf | cmp - one && uf-records digest --json v.uf | jq -r '.digest, .records' > /dev/null; cut -c 65-90 one", 0, "  59 rated records  v.uf\n")
    }

    @Test func firstDifference() throws {
        prepare()
        expect("uf-records diff $F/rated-none.uf $F/rated-zstd.uf; uf-records diff --json $F/packed-none.uf $F/packed-zlib.uf", 0, #"{"equal":true}"# + "\n")
        expect("cd $F; uf-records diff rated-none.uf tokens-none.uf", 1, "kind\n  rated-none.uf   rated\n  tokens-none.uf  tokens\n")
        expect("uf-records split --records 2 --part 0 $F/logps-none.uf -o l.uf; uf-records diff l.uf $F/logps-none.uf --json", 1,
            #"{"equal":false,"field":"records","record":2,"id":"id-2","byte":null,"left":"the end","right":"a record"}"# + "\n")
        func changed(_ edit: String) -> String { "uf-records view --with-head v.uf | sed '4\(edit)' | uf-records import --edited -o e.uf; uf-records diff v.uf e.uf | sed 1q | sed 's/(id [0-9a-f]*)/ID/'" }
        expect(changed(#"s/"origin_line":3/"origin_line":4/"#), 0, "record 2 ID: origin_line\n")
        expect(changed(#"s/"rated":\[\[1/"rated":[[1/; 4s/"source":"/"source":"x/"#), 0, "record 2 ID: source: byte 0\n")
        expect(changed(#"s/"models":\["[a-z]*"/"models":["zz"/"#), 0, "record 2 ID: models[0]: byte 0\n")
        expect(changed(#"s/"content":"\(.......\)/"content":"\1~/"#), 0, "record 2 ID: contents[0]: byte 7\n")
    }

    /// A source that stands in two streams with two licences keeps both, whichever stream comes first.
    @Test func licencesAreJoined() {
        let odd = Command.quoted(Fixtures.path("ultrafeedback/odd.jsonl"))
        expect("""
            for l in MIT CC0; do uf-convert --licence odd=$l \(odd) -o $l.uf 2> /dev/null; done; uf-records cat MIT.uf CC0.uf -o b.uf; uf-records cat CC0.uf MIT.uf b.uf -o c.uf
            for f in MIT b c; do uf-records stats --json $f.uf | tr -d ' \\n' | grep -o '"licences":{[^}]*}'; done
            """, 0, "\"licences\":{\"odd\":\"MIT\"}\n" + String(repeating: "\"licences\":{\"odd\":\"CC0;MIT\"}\n", count: 2))
        expect("uf-convert --licence 'odd=A;B' \(odd) -o d.uf 2> /dev/null; uf-records cat d.uf d.uf | uf-records stats --json - | grep -o '\"odd\": *\"A;B\"' | tr -d ' '", 0, "\"odd\":\"A;B\"\n")
        expect("uf-convert --licence odd=MIT --licence odd=CC0 \(odd)", 64, errors: "uf-convert: --licence names odd twice (uf-convert --help tells more)\n")
        expect("uf-records cat MIT.uf -o one.uf && uf-records cat MIT.uf -o /dev/stdout | cmp - one.uf && echo same", 0, "same\n")
    }

    @Test func salvage() throws {
        expect("cd $F; uf-records salvage bad-flipped-bit.uf", 0, errors: """
            uf-records: bad-flipped-bit.uf: frame 1 at byte 1152: the payload's checksum does not match: the data is damaged
            uf-records: bad-flipped-bit.uf: kept 2 of 3 records; lost 1 record and 2624 bytes
            uf-records: bad-flipped-bit.uf: lost record 0: the payload's checksum does not match: the data is damaged
            uf-records: bad-flipped-bit.uf: lost bytes 1152 to 3775: the payload's checksum does not match: the data is damaged

            """)
        expect("cp $F/bad-*.uf .; for f in bad-*.uf; do uf-records salvage $f -o saved-$f --report report-$f 2> /dev/null && uf-records check --full saved-$f > /dev/null; echo $f $?; done | grep -v ' 0$'", 0,
            "bad-version-0.uf 65\nbad-version-2.uf 65\nbad-zero-bytes.uf 65\n")
        let report = try JSON.parse(run("cat report-bad-cut-in-block.uf").output)
        #expect(report["records"] == .object([("kept", 1), ("lost", 1), ("total", .null)]) && report["sound"] == false && report["bytes"]?["lost"]?.int == 2140)
        #expect(report["lost_bytes"]?[0] == .object([("first", 3776), ("count", 2140), ("reason", "the file ends inside a DATA frame")]))
        let tail = text(run("uf-records stats --stages --json saved-bad-matrices.uf"))
        #expect(tail.contains(#"{"command":"uf-records salvage","counts":{"blocks.kept":3,"bytes.lost":0,"records.kept":2,"records.lost":1,"records.total":3}}"#), "\(tail)")
        // No name of a file in the bytes.
        expect("cp bad-matrices.uf other-name.uf; uf-records salvage other-name.uf 2> /dev/null | cmp - saved-bad-matrices.uf && grep -c bad-matrices saved-bad-matrices.uf", 1, "0\n")
        expect("cd $F; uf-records salvage rated-zlib.uf > /dev/null", 0, errors: "uf-records: rated-zlib.uf: nothing is wrong with the stream: kept all 3 records\n")
        expect("uf-records salvage - < $F/rated-none.uf", 64, errors: "uf-records: the damaged stream takes a path, and - (standard input or output) is none; a file of that name is ./- (uf-records salvage --help tells more)\n")
    }

    /// Guarantee G3 for every command that reads: damaged or cut input is refused, and no whole output is left.
    @Test func damageIsRefused() {
        prepare()
        expect("cp v.uf cut.uf; truncate -s -128 cut.uf; head -c 200000 v.uf > short.uf; cp v.uf flipped.uf; printf '\\x5a' | dd of=flipped.uf bs=1 seek=150000 conv=notrunc 2> /dev/null; mkdir o")
        for file in ["cut.uf", "short.uf", "flipped.uf", "$F/bad-blocks-swapped.uf", "$F/bad-matrices.uf", "$F/bad-two-joined.uf"] {
            for command in [
                "cat \(file)", "cat v.uf \(file)", "split --parts 2 \(file) -o o/p-%.uf", "split --records 1 \(file) -o o/p-%.uf", "split --parts 2 --part 0 \(file)", "merge --by origin v.uf \(file)", "merge --by id \(file)",
                "sort --by id \(file)", "shuffle \(file)", "shuffle --memory 0.001 \(file)", "digest \(file)", "digest --compare \(file) \(file)", "diff \(file) \(file)", "view -c --where 'ties >= 0' - < \(file)",
                "import --like \(file) /dev/null", "view --with-head \(file)",
            ] {
                // A head alone is read by `import --like`, a file's index by `view`: those need not see the damage.
                guard !(command.hasPrefix("import") || command.hasPrefix("view --with-head")) || file == "cut.uf" && command.hasPrefix("view") else { continue }
                guard !(command.contains("v.uf $F")) else { continue }
                let place = command.contains("-o ") || command.hasPrefix("di") || command.hasPrefix("view") ? "" : "-o o/out.uf"
                let outcome = run("uf-records \(command) \(place) > stdout")
                #expect(outcome.status == 65 && outcome.errors.split(separator: "\n").count == 1, "\(command): \(outcome.status): \(outcome.errors)")
                // In a pipe: what was written so far is refused by the next.
                if place != "" {
                    let piped = run("uf-records \(command) 2> /dev/null | uf-records check --full")
                    #expect(piped.status == 65, "\(command): \(piped.errors)")
                }
            }
        }
        #expect(text(run("ls -A o")).isEmpty)
    }
}
