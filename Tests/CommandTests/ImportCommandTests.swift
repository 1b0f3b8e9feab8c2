import SystemIO
import TestSupport
import Testing

/// `uf-records view` to JSON lines and `import` back.
@Suite struct ImportCommandTests {
    private let folder = TemporaryFolder()
    private static let fixtures = Fixtures.path("streams/version-1")
    /// Golden streams, and kinds where they are named after something else.
    static let streams = ["rated", "tokens", "packed", "logps", "answers", "rows16", "pairs", "sft", "gaps"]
    private func kind(_ stream: String) -> String { ["answers": "tokens", "rows16": "packed", "pairs": "packed", "sft": "packed", "gaps": "packed"][stream] ?? stream }

    private func run(_ script: String) -> Command.Outcome {
        Command.shell(script, in: folder.path, environment: ["F": Self.fixtures, "RAW": Fixtures.path("ultrafeedback/vicuna_bench.jsonl.gz")])
    }

    private func expect(_ script: String, _ status: Int32 = 0, _ output: String? = nil, errors: String = "", sourceLocation: SourceLocation = #_sourceLocation) {
        let outcome = run(script)
        #expect(outcome.status == status && outcome.errors == errors, "\(script): \(outcome.status): \(outcome.errors)", sourceLocation: sourceLocation)
        if let output { #expect(String(decoding: outcome.output, as: UTF8.self) == output, "\(script)", sourceLocation: sourceLocation) }
    }

    /// The same bytes for every kind, lone surrogates, signed zeros and missing ratings included; whatever the threads, and through compression.
    @Test(arguments: streams) func sameBytes(stream: String) {
        expect("uf-records cat $F/\(stream)-zstd.uf -o x.uf; uf-records view --with-head x.uf > lines")
        expect("uf-records import lines | cmp - x.uf && uf-records import < lines | cmp - x.uf && uf-records import -j 4 lines | cmp - x.uf && gzip -k lines && uf-records import lines.gz | cmp - x.uf")
        expect("for c in zlib zstd; do uf-records cat x.uf --codec $c -o z.uf; uf-records view --with-head z.uf > coded; uf-records import coded | cmp - z.uf && uf-records import --codec none coded | cmp - <(uf-records cat x.uf) || exit; done")
        // Members in another order, numbers as other tools write them, blank lines and a missing last line feed.
        expect(#"sed -e 's/-0\.0\([],]\)/-0\1/g' -e 's/\([0-9]\)\.0\([],]\)/\1\2/g' -e 's/^{\("id":"[^"]*"\),\(.*\)}$/{ \2 , \1 }\n/' lines | head -c -1 > other; cmp -s other lines; echo $?; uf-records import other | cmp - x.uf"#, 0, "1\n")
        // Without a head: the same records, with a provenance of their own.
        expect("uf-records view x.uf | uf-records import --like x.uf -o y.uf; uf-records view x.uf | uf-records import --kind \(kind(stream)) --settings '{\"layout\":\"\(["rows16", "pairs", "sft"].contains(stream) ? stream : "shared-prefix")\"}' | cmp - y.uf; uf-records diff x.uf y.uf")
    }

    /// The golden files have a record a block, which this release's writer would not do; what another release of zlib or zstd makes of a block is not ours to say.
    @Test(arguments: streams) func divisionIntoBlocks(stream: String) {
        expect("uf-records view --with-head $F/\(stream)-none.uf | uf-records import | cmp - $F/\(stream)-none.uf; uf-records view --with-head $F/empty.uf | uf-records import | cmp - $F/empty.uf")
        expect("for c in zlib zstd; do uf-records view --with-head $F/\(stream)-$c.uf | uf-records import -o $c.uf; for f in $c.uf $F/\(stream)-$c.uf; do uf-records stats --json $f | sed 's/^{[^,]*,//; s/\"bytes\":[0-9]*,//'; done | uniq | wc -l; done", 0, "1\n1\n")
        // A new stream is divided and stored as its maker does.
        expect("uf-records view --with-head $F/\(stream)-zstd.uf | uf-records import --edited | uf-records stats --json | grep -o '\"blocks\":1,\"bytes\":[0-9]*,\"codec\":\"none\"' | sed 's/[0-9][0-9]*,.*,//'", 0, "\"blocks\":\"codec\":\"none\"\n")
    }

    /// The number of a line is of 64 bits: all of them go to JSON and back, also of a record in a bin.
    @Test(arguments: ["rated", "tokens", "packed", "gaps"]) func linesOf64Bits(stream: String) {
        expect(#"uf-records view $F/\#(stream)-none.uf | sed 's/"origin_line":[0-9]*/"origin_line":18446744073709551615/g' > lines; uf-records import --kind \#(kind(stream)) lines | uf-records view | cmp - lines"#)
    }

    @Test func damagedHeads() throws {
        expect("uf-records view --with-head $F/rated-zlib.uf > lines")
        for (edit, message) in [
            (#"s/"codec":"zlib"/"codec":"lzma"/"#, "lines: line 1: the head's codec is missing or unknown, expected one of none, zlib, zstd"),
            (#"s/"codec":"zlib",//"#, "lines: line 1: the head's codec is missing or unknown, expected one of none, zlib, zstd"),
            (#"s/"blocks":\[1,1/"blocks":[1,0/"#, "lines: line 1: the head's blocks are missing or wrong, expected an array of numbers of records from 1 to 65536"),
            (#"s/"blocks":\[1,1,1\],//"#, "lines: line 1: the head's blocks are missing or wrong, expected an array of numbers of records from 1 to 65536"),
        ] { expect("sed -i.kept '1\(edit)' lines; uf-records import lines -o x.uf; s=$?; mv lines.kept lines; exit $s", 65, errors: "uf-records: \(message)\n") }
        let divided = run("sed '1s/\"blocks\":.1,1,1./\"blocks\":[2]/' lines | uf-records import -o x.uf")
        #expect(divided.status == 65 && divided.errors.contains("the records are not those that the head in line 1 belongs to"), "\(divided.errors)")
        #expect(!folder.contents.contains("x.uf"))
        // Blocks of one stream with two codecs: readers take it, no writer makes it.
        var stream = try DissectedStream(readWholeFile(Self.fixtures + "/rated-none.uf"))
        stream.frames[2].codec = 1
        let file = try AtomicFile(path: folder.file("two.uf"))
        try file.write(stream.assembled(.remade))
        try file.finish()
        expect("uf-records check --full two.uf > /dev/null; uf-records view --with-head two.uf", 65, "",
            errors: "uf-records: two.uf: its blocks are stored with different codecs, which one label cannot say; uf-records cat writes them with one\n")
    }

    @Test func manyRecords() {
        expect(#"uf-convert "$RAW" -o v.uf; for i in 1 2 3 4 5 6 7 8; do echo v.uf; done | xargs uf-records cat -o x.uf; uf-records view --with-head x.uf > lines; uf-records import -j 1 lines -o a.uf; uf-records import -j 3 lines -o b.uf; cmp a.uf x.uf && cmp b.uf x.uf"#)
    }

    /// jq writes 1.0 as 1; the head comes through as text.
    @Test(.enabled(if: Command.shell("command -v jq", in: "/").status == 0, "needs jq")) func throughJQ() {
        expect(#"uf-convert "$RAW" -o v.uf; uf-records view --with-head v.uf | jq -c . | uf-records import | cmp - v.uf"#)
        expect(#"uf-records view --with-head v.uf | jq -c 'if .models then .models[0] = "x" else . end' > edited"#)
        let refused = run("uf-records import edited -o x.uf")
        #expect(refused.status == 65 && refused.errors.hasPrefix("uf-records: edited: the records are not those that the head in line 1 belongs to (content ")
            && refused.errors.hasSuffix("); if they were changed on purpose, --edited makes a new stream of them\n"), "\(refused.errors)")
        expect("uf-records import --edited edited -o e.uf && uf-records digest --compare v.uf e.uf | tail -1 && uf-records head e.uf | sed -n '4,5p'", 0,
            "0 added, 0 removed, 59 changed, 0 same\nmade by\n  uf-records import --edited   (recipe 1)\n")
        #expect(!folder.contents.contains("x.uf"))
    }

    @Test func everyFaultNamesItsPlace() {
        expect("uf-records cat $F/rated-none.uf -o r.uf; uf-records cat $F/packed-none.uf -o p.uf; uf-records view r.uf > rated; uf-records view p.uf > packed")
        func refused(_ kind: String, _ edit: String, _ message: String, sourceLocation: SourceLocation = #_sourceLocation) {
            expect("sed '2\(edit)' \(kind) > lines; uf-records import --kind \(kind) lines -o x.uf", 65, errors: "uf-records: lines: line 2\(message)\n", sourceLocation: sourceLocation)
        }
        refused("rated", #"s/"origin_line":2/"origin_line":"2"/"#, ", column 45: origin_line: expected an integer from 0 to 18446744073709551615, found a string")
        refused("rated", #"s/"origin_input":1/"origin_input":1.5/"#, ", column 29: origin_input: expected an integer from 0 to 4294967295, found 1.5")
        refused("rated", #"s/"origin_input":1/"origin_input":4294967296/"#, ", column 29: origin_input: expected an integer from 0 to 4294967295, found 4294967296")
        refused("rated", #"s/,"source"/,,"source"/"#, ", column 47: expected a key in double quotes, found ','")
        refused("rated", #"s/"source":"made-up",//"#, ", column 1: the member source is missing")
        refused("rated", #"s/"source"/"sauce"/"#, ", column 55: sauce: an unknown member; expected are id, origin_input, origin_line, source, turns, responses, response_systems, models, dimensions, ratings, rated, targets, rating_states")
        refused("rated", #"s/"source":"made-up"/"source":"a","source":"b"/"#, ", column 69: source: stands twice")
        refused("rated", #"s/"role":"user"/"role":3/"#, ", column 114: turns[1].role: expected a string, found a number")
        refused("rated", #"s/"models":\["a",""\]/"models":["a"]/"#, ", column 1: 1 models for 2 responses, or unknown rating states")
        refused("rated", "s/.*/[1]/", ", column 1: expected an object, found an array")
        refused("rated", "s/.$//", ", column 281: expected ',' or '}', found the end")
        refused("packed", #"s/"end":5/"end":null/"#, ", column 157: segments[1].end: expected an integer from 0 to 4294967295, found null")
        refused("packed", #"s/"targets":\[\[0.75/"targets":[["x"/"#, ", column 465: records[0].targets[0][0]: expected a number, null (NaN), \"inf\" or \"-inf\", found a string")
        refused("packed", #"s/\[5.0,null\]/[5.0]/"#, ", column 419: records[0].ratings[1]: a row of 1 values after rows of 2")
        expect("uf-records cat $F/gaps-none.uf -o g.uf; uf-records view g.uf > gaps")
        func gaps(_ edit: String, _ message: String, sourceLocation: SourceLocation = #_sourceLocation) {
            expect("sed '2\(edit)' gaps > lines; uf-records import --kind packed lines -o x.uf", 65, errors: "uf-records: lines: line 2\(message)\n", sourceLocation: sourceLocation)
        }
        gaps(#"s/,"prompt_gaps":.*/}]}/"#, ", column 290: records[0]: the member prompt_gaps is missing")
        gaps(#"s/,\[\]\]}/]}/"#, ", column 539: records[0].prompt_gaps: gaps of 1 prompts, expected 2, a list for each number in prompt_cuts")
        gaps(#"s/"at":1/"at":-1/"#, ", column 547: records[0].prompt_gaps[0][0].at: expected an integer from 0 to 4294967295, found -1")
        gaps(#"s/"at":1/"at":3/"#, ", column 1: the gaps in prompt 0 of record 0 do not lie in order within its 2 tokens")
        // The first record says which columns there are.
        expect("(head -1 packed; sed -n 2p gaps) > lines; uf-records import --kind packed lines -o x.uf", 65, errors: "uf-records: lines: line 2, column 539: records[0].prompt_gaps: an unknown member; expected are id, origin_input, origin_line, source, dimensions, ratings, rated, targets, prompt_cuts, response_cuts, row_map, pi_target\n")
        refused("packed", #"s/"positions":\[0,1/"positions":[0,2/"#, ", column 1: segment 0: position 2 at token 1, expected 1")
        #expect(!folder.contents.contains("x.uf"))
    }

    @Test func usage() {
        expect("uf-records view --with-head $F/rated-none.uf > lines; uf-records view $F/rated-none.uf > bare")
        for (script, status, message) in [
            ("import bare", 64, "what the records are is unknown: the lines have no head (uf-records view --with-head writes one); give --kind or --like"),
            ("import --kind other bare", 64, "other: an unknown kind of records; known are rated, tokens, packed, logps"),
            ("import --kind rated lines", 64, "the lines have a head, which says kind and settings: --kind and --like are for lines without"),
            ("import --edited bare", 65, "bare: line 1: --edited needs lines that begin with a head (uf-records view --with-head)"),
            ("import --kind rated --like x.uf bare", 64, "give one of --kind, --like and --edited (uf-records import --help tells more)"),
            ("import --settings '{}' bare", 64, "--settings goes with --kind (uf-records import --help tells more)"),
            ("import --kind rated --settings '[]' bare", 64, "--settings takes a JSON object (uf-records import --help tells more)"),
            ("import --kind rated --settings '{' bare", 64, "--settings: line 1, column 2: expected a key in double quotes, found the end (uf-records import --help tells more)"),
            ("import --kind rated --settings '{\"a\":1,\"a\":2}' bare", 64, "--settings: the key \"a\" stands twice in one object (uf-records import --help tells more)"),
            ("import --kind rated --like - < bare", 64, "give one of --kind, --like and --edited (uf-records import --help tells more)"),
            ("import --like - < bare", 64, "the lines and --like cannot both be standard input (uf-records import --help tells more)"),
            ("import absent", 66, "absent: cannot be opened for reading: No such file or directory"),
            ("view --with-head < $F/rated-none.uf", 64, "--with-head needs a file: the end of standard input is not known before its records (uf-records view --help tells more)"),
            ("view --with-head -c $F/rated-none.uf", 64, "--with-head shows whole streams: no --range, --id, --where, --fields or -c (uf-records view --help tells more)"),
        ] as [(String, Int32, String)] { expect("uf-records \(script) > out", status, errors: "uf-records: \(message)\n") }
    }

    @Test func whereOnTheCommandLine() {
        expect("uf-records view $F/rated-none.uf --where 'source = other' --fields id; cat $F/packed-zlib.uf | uf-records view -c --where 'length > 5 and id != id-9'", 0, #"{"id":"id-2"}"# + "\n2\n")
        expect("uf-records view $F/rated-none.uf --where 'source > other'", 64, errors: "uf-records: --where: column 8: source is a text: it is compared with = or !=\n")
        expect("uf-records view -c --range 1: --where 'missing = 1' $F/tokens-zstd.uf", 0, "2\n")
    }
}
