import JSON
import SystemIO
import TestSupport
import Testing

/// What uf-convert keeps, in which file, and what it refuses of its inputs, as a user runs it.
@Suite struct SelectionCommandTests {
    private let folder = TemporaryFolder()

    private func run(_ script: String) -> Command.Outcome {
        Command.shell(script, in: folder.path, environment: [
            "B": Fixtures.path("ultrafeedback/binarized.jsonl.gz"), "V": Fixtures.path("ultrafeedback/vicuna_bench.jsonl.gz"), "O": Fixtures.path("ultrafeedback/odd.jsonl"),
        ])
    }

    /// Runs a script that must come out so.
    private func expect(_ script: String, _ status: Int32 = 0, _ output: String? = nil, errors: String? = "", sourceLocation: SourceLocation = #_sourceLocation) {
        let outcome = run(script), text = String(decoding: outcome.output, as: UTF8.self)
        #expect(outcome.status == status, "\(script): \(text)\(outcome.errors)", sourceLocation: sourceLocation)
        if let output { #expect(text == output, "\(script)", sourceLocation: sourceLocation) }
        if let errors { #expect(outcome.errors == errors, "\(script)", sourceLocation: sourceLocation) }
    }

    /// One language: what uf-convert --where keeps is what uf-records view --where shows.
    @Test func conditionsMeanWhatTheyMeanToView() throws {
        expect("uf-convert $B $V $O -o all.uf; for j in 1 3; do cat $O | uf-convert -j $j $B $V - --where 'gap >= 1.5 and length < 8000' --where 'source != odd' --report r.json -o $j.uf; done; cmp 1.uf 3.uf", errors: nil)
        expect("cmp <(uf-records view all.uf --where '(gap >= 1.5 and length < 8000) and source != odd') <(uf-records view 1.uf) && uf-records view -c 1.uf > count && test $(cat count) -gt 50")
        expect("uf-convert $B $V $O --where 'gap >= 1.5 and length < 8000' --where 'source != odd' 2>&1 > x.uf | grep -oE '[0-9]+ not meeting [^,;]*'; cmp x.uf 1.uf", 0,
               "184 not meeting gap >= 1.5 and length < 8000\n8 not meeting source != odd\n")
        expect("uf-records explain 1.uf > again.sh; zcat $V > v; INPUT1=$B INPUT2=v INPUT3=$O bash again.sh 2> told | cmp - 1.uf")
        expect("uf-records stats --stages 1.uf | grep -E 'not sampled|unmet'", 0, """
                        records dropped: unmet condition              192
                        records unmet: gap >= 1.5 and length < 8000   184
                        records unmet: source != odd                    8

            """)
        let counts = try JSON.parse(readWholeFile(folder.file("r.json")))["counts"]?["records"]
        #expect(counts?["unmet"] == .object([("gap >= 1.5 and length < 8000", 184), ("source != odd", 8)]) && counts?["dropped"]?["unmet_condition"] == 192)
        expect("uf-convert $O --where 'gap > many'", 64, errors: "uf-convert: --where: column 7: expected a number, found many (uf-convert --help tells more)\n")
        expect("uf-convert $O --where 'gaps > 1'", 64, errors: nil)
    }

    @Test func samplesDoNotDependOnHowRecordsCome() {
        for options in ["--sample 50 --seed 9", "--sample 50 --seed 9 --stratify source"] {
            expect("""
                uf-convert -j 1 $B $V $O \(options) -o a.uf 2> told; zcat $B | uf-convert -j 3 - $V $O \(options) 2> told | cmp - a.uf || exit 1
                zcat $B | head -100 > b1; zcat $B | tail -n +101 | tac > b2; zcat $V | uf-convert $O b2 - b1 \(options) -j 2 -o b.uf 2> told
                cmp <(uf-records view a.uf --fields id,ratings | sort) <(uf-records view b.uf --fields id,ratings | sort) || exit 2
                uf-convert $B $V $O \(options) --shards 3 -o s-%d-of-%d.uf 2> told; uf-records check --full . > told || exit 3
                """)
            expect("for i in 0 1 2; do uf-convert -j 3 $B $V $O \(options) --shard $i/3 2> told | cmp - s-$i-of-3.uf || exit 1; done; for s in s-*.uf; do uf-records view $s --fields id; done | sort | cmp - <(uf-records view a.uf --fields id | sort)")
            expect("uf-records explain s-1-of-3.uf > again.sh; zcat $V > v; INPUT1=$B INPUT2=v INPUT3=$O bash again.sh 2> told | cmp - s-1-of-3.uf && rm s[-.]*")
        }
        // After conditions and duplicates: all are gone before the sample is taken.
        expect("""
            { zcat $B | head -60; zcat $B | head -30; } > twice; uf-convert twice --dedup exact --where 'gap > 1' --sample 20 -o c.uf 2>&1 | grep -oE '[0-9]+ (not meeting|whose|outside)' > told
            uf-convert twice --dedup exact --where 'gap > 1' 2> /dev/null | uf-records view -c; cat told; uf-records view c.uf --where 'gap > 1' --fields id | sort -u | wc -l
            """, 0, "34\n40 not meeting\n16 whose\n14 outside\n20\n")
        // What was put aside is gone, however the command ends.
        expect("mkdir t; export TMPDIR=$PWD/t; uf-convert $B --sample 5 -o x.uf; ls t; zcat $B | head -c 300000 | uf-convert --sample 5 -o y.uf; echo $?; ls -A t", 0, "65\n", errors: nil)
        expect("TMPDIR=/absent uf-convert $O --sample 5 -o y.uf", 73, errors: "uf-convert: a temporary file in /absent: cannot be created: No such file or directory\n")
        for (options, message) in [
            ("--sample 0", "--sample takes a number from 1"), ("--seed 1", "--seed goes with --sample NUMBER"), ("--stratify source", "--stratify goes with --sample NUMBER"),
        ] { expect("uf-convert $O \(options) -o y.uf", 64, errors: "uf-convert: \(message) (uf-convert --help tells more)\n") }
        expect("uf-convert $O --sample 5 --stratify length -o y.uf", 64, errors: nil)
        #expect(!folder.contents.contains("y.uf"))
    }

    /// All parts at once are what each is alone; a prompt is in the same part in another run with other data.
    @Test func partsAreWrittenSideBySide() {
        expect("""
            for j in 1 3; do mkdir $j; zcat $B | uf-convert -j $j - $O --split train=0.7,validation=0.2 -o $j/u-%.uf 2> told || exit 1; done; diff -r 1 3 && ls 1
            for p in train validation; do uf-convert $B $O --split train=0.7,validation=0.2 --part $p 2> told | cmp - 1/u-$p.uf; done
            """, 0, "u-train.uf\nu-validation.uf\n")
        expect("""
            uf-records view 1/u-train.uf --fields turns | sort -u > t; uf-records view 1/u-validation.uf --fields turns | sort -u > v; comm -12 t v | wc -l
            zcat $B | tail -150 > other.jsonl; uf-convert $V other.jsonl --split train=0.7,validation=0.2 -o o-%.uf 2> told
            for p in t:o-validation v:o-train; do comm -12 ${p%%:*} <(uf-records view ${p##*:}.uf --fields turns | sort -u) | wc -l; done
            comm -12 t <(uf-records view o-train.uf --fields turns | sort -u) | wc -l | grep -cE '^[0-9]{2,}$'
            """, 0, "0\n0\n0\n1\n")
        expect("uf-records explain 1/u-validation.uf > again.sh; zcat $B > b; INPUT1=b INPUT2=$O bash again.sh 2> told | cmp - 1/u-validation.uf")
        expect("""
            touch -d 2001-01-01 1/*; stat -c %Y 1/* > times; uf-convert $B $O --split train=0.7,validation=0.2 -o 1/u-%.uf --if-changed 2> told; stat -c %Y 1/* | cmp - times
            """)
        // Not one of them appears when reading fails, and the old ones stay.
        expect("zcat $B | head -c 100000 > 1/raw; cp 1/u-train.uf old; uf-convert 1/raw --split train=0.7,validation=0.2 -o 1/u-%.uf", 65, errors: nil)
        expect("cmp old 1/u-train.uf; ls -A 1", 0, "raw\nu-train.uf\nu-validation.uf\n")
        for (options, message) in [
            ("--split a=0.5,b=0.5 -o x.uf", "--split writes all parts under a name of -o with a % where the part's name goes, as in -o 'ultra-%.uf' (or give --part to write one part)"),
            ("--split a=0.5,b=0.5", "--split writes all parts under a name of -o with a % where the part's name goes, as in -o 'ultra-%.uf' (or give --part to write one part)"),
            ("--split a=0.5,b=0.5 -o x-%-%.uf", "--split writes all parts under a name of -o with a % where the part's name goes, as in -o 'ultra-%.uf' (or give --part to write one part)"),
            ("--split a=0.5,b=0.5 --shards 2 -o x-%.uf", "--split writes all parts, --shards divides one of them: give --part NAME"),
            ("--split a=0.5,b=0.5 --shard 0/2 -o x-%.uf", "--split writes all parts, --shard is a share of one of them: give --part NAME"),
            ("--split a/b=0.5,b=0.5 -o x-%.uf", "the part \"a/b\" cannot be part of a file's name: give --part to write it"), ("--part a", "--part needs --split NAME=SHARE,..."),
        ] { expect("uf-convert $O \(options)", 64, errors: "uf-convert: \(message) (uf-convert --help tells more)\n") }
        expect("cp $O x-b.uf; uf-convert x-b.uf --split a=0.5,b=0.5 -o x-%.uf", 64, errors: "uf-convert: x-b.uf: both input and output; the output would replace the input (write to another name)\n")
    }

    /// `zcat raw.gz | uf-convert` must not take what a failing zcat left for the whole.
    @Test func aLostTailIsMissed() {
        expect("zcat $V > v; sha256sum < v | cut -c 1-64 > sum; sha256sum < $O | cut -c 1-64 > odd; wc -l < v", 0, "59\n")
        expect("zcat $V | uf-convert --expect-records 59 --expect-sha256 $(cat sum) - -o plain.uf; uf-convert $V | cmp - plain.uf && uf-records explain plain.uf | grep -c expect", 1, "0\n")
        expect("uf-convert $V $O --expect-records 75 --expect-sha256 $(tr a-f A-F < sum) --expect-sha256 $(cat odd) -o both.uf", errors: nil)
        expect("head -40 v | uf-convert --expect-records 59 -o x.uf", 65, errors: "uf-convert: read 40 records, expected 59 (--expect-records): the input is cut, longer or another; copy or fetch it again\n")
        expect("head -40 v | uf-convert --expect-records 59 2> told | uf-records check --full", 65, errors: nil)
        expect("head -40 v | uf-convert --expect-sha256 $(cat sum) -o x.uf 2>&1 | grep -c \"^uf-convert: standard input: the SHA-256 of the decoded bytes is $(head -40 v | sha256sum | cut -c 1-64), expected $(cat sum): \"", 0, "1\n")
        expect("uf-convert v v --expect-records 119 --split a=0.5,b=0.5 -o x-%.uf", 65, errors: "uf-convert: read 118 records, expected 119 (--expect-records): the input is cut, longer or another; copy or fetch it again\n")
        expect("uf-convert $V $O --expect-sha256 $(cat sum) -o x.uf", 64, errors: "uf-convert: --expect-sha256 is given once for 2 inputs: give it once for each, in their order (uf-convert --help tells more)\n")
        expect("uf-convert $V --expect-sha256 $(cat sum) --expect-sha256 $(cat odd) -o x.uf", 65, errors: "uf-convert: 1 input, expected 2, one for each --expect-sha256; a file of an archive is an input of its own\n")
        expect("uf-convert $V --expect-sha256 0f -o x.uf", 64, errors: "uf-convert: --expect-sha256 takes 64 hexadecimal digits, as sha256sum prints them, not \"0f\" (uf-convert --help tells more)\n")
        expect("uf-convert $V --expect-records -1 -o x.uf", 64, errors: nil)
        // A half line, from a pipe and a file, also where bad records are passed over.
        expect("head -c 20000 v | uf-convert --on-bad-record skip -o x.uf", 65,
               errors: "uf-convert: standard input: line 2, column 2523: the string has no end, and no line feed follows: the input seems cut; copy or fetch it again\n")
        expect("head -c 20000 v > cut; uf-convert cut --on-bad-record skip --split a=0.5,b=0.5 -o x-%.uf", 65,
               errors: "uf-convert: cut: line 2, column 2523: the string has no end, and no line feed follows: the input seems cut; copy or fetch it again\n")
        expect("{ echo '['; paste -sd, v; } | uf-convert --on-bad-record skip -o x.uf 2>&1 | grep -c 'element 60, byte .*: the JSON array has no end, the input may be cut'", 0, "1\n")
        expect("head -c -1 v | uf-convert --strict | uf-records view -c", 0, "59\n")
        #expect(!folder.contents.contains { $0.hasPrefix("x") }, "\(folder.contents)")
    }

    /// Whatever the compression, a file that was cut is refused, as a file and in a pipe.
    @Test func cutInputsOfEveryKindAreRefused() {
        expect("""
            zcat $V | head -20 > v; gzip -k v; xz -k v; bzip2 -k v; zstd -q v; tar cf v.tar v; tar czf v.tgz v; tar cf - v | zstd -q > v.tar.zst
            for f in v.gz v.xz v.bz2 v.zst v.tar v.tgz v.tar.zst; do
              whole=$(stat -c %s $f); [ $f != v.tar ] || whole=$(( 512 + ($(stat -c %s v) + 511) / 512 * 512 + 512 ))
              for k in 1 2 3 4 5 6 7 8; do
                head -c $(( (whole - 1) * k / 8 )) $f > cut; uf-convert --on-bad-record skip cut -o x.uf 2> told; a=$?; uf-convert --on-bad-record skip < cut 2> told > y.uf; b=$?
                [ $a$b = 6565 ] && [ ! -e x.uf ] || echo $f cut at $k eighths: $a $b
              done
              uf-convert $f 2> told | cmp - <(uf-convert v 2> told)
            done
            """, 0, "")
    }
}
