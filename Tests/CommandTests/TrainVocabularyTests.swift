import JSON
import SystemIO
import TestSupport
import Testing

/// `uf-tokenize train` as a user runs it. What it learns is held to the reference in VocabularyTrainerTests.
@Suite struct TrainVocabularyTests {
    private let folder = TemporaryFolder()
    private static let raw = Command.quoted(Fixtures.path("ultrafeedback/vicuna_bench.jsonl.gz"))
    private static let reference = Command.quoted(Fixtures.path("tokenizers/training/gpt2.json.gz"))

    /// The texts of rated records are those that the reference learnt from; from a pipe, from files, by any number of threads.
    @Test func fromRatedStreams() throws {
        let outcome = Command.shell(
            """
            gzip -dc \(Self.reference) > reference.json; uf-convert \(Self.raw) -o rated.uf
            for j in 1 2 7; do uf-tokenize train rated.uf --size 2000 --special '<|endoftext|>' -j $j | cmp - reference.json; done
            cat rated.uf | uf-tokenize train - --size 2000 --special '<|endoftext|>' --json -v -o out.json 2>told; cmp out.json reference.json; sed -E 's/in 0:[0-9]+.*/in TIME/' told >&2
            """, in: folder.path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let summary = try JSON.parse(outcome.output)
        #expect(summary["tokens"]?.int == 2000 && summary["merges"]?.int == 1743 && summary["texts"]?.int == 295 && summary["bytes"]?.int == 477_054)
        #expect(outcome.errors == "uf-tokenize: 295 texts, 477054 bytes, 94010 pieces, 8376 distinct, in TIME\nuf-tokenize: 2000 tokens by 1743 merges in TIME\n")
    }

    /// The vocabulary serves the other commands, special tokens and all.
    @Test func itsVocabularyServes() {
        let outcome = Command.shell(
            """
            printf 'low lower lowest\\nnew newer newest\\n' > plain.txt
            uf-tokenize train --text plain.txt --size 30 --initial-alphabet seen --special '<s>' --special '</s>' -o tokenizer.json
            echo '"<s>lower newest</s>"' | uf-tokenize text --tokenizer tokenizer.json --special | tee ids.jsonl | tr '[],' '\\n\\n\\n' | sed '/^$/d' | sed -n '1p;$p' | tr '\\n' ' '
            uf-tokenize decode --tokenizer tokenizer.json ids.jsonl
            """, in: folder.path)
        #expect(outcome.status == 0 && String(decoding: outcome.output, as: UTF8.self) == "0 1 \"<s>lower newest</s>\"\n", "\(String(decoding: outcome.output, as: UTF8.self))\(outcome.errors)")
        // Nothing is left to merge before the size is reached, which is told.
        #expect(outcome.errors == "uf-tokenize: 26 of 30 tokens: no pair is left to merge\n")
    }

    @Test func errorsAreOneLine() {
        let folder = folder.path
        for (script, status, message) in [
            ("train absent --size 300", 66, "absent: cannot be opened for reading: No such file or directory"),
            ("train --size 300 </dev/null", 65, "the inputs hold no text to learn from: 0 texts, all of them empty"),
            ("train --size 257 --special '<s>' --special '</s>' </dev/null", 64, "--size 257 does not hold the 258 tokens that merging starts from"),
            ("train --size 3 --initial-alphabet seen < strings", 65, "a vocabulary of 3 tokens cannot hold the 5 that it starts from"),
            ("train --size 0 < strings", 64, "--size takes a number from 1"), ("train < strings", 64, "Missing expected argument '--size <tokens>'"),
            ("train --size 300 --pattern bert < strings", 64, "The value 'bert' is invalid for '--pattern <model>'"),
            ("train --size 300 --special a --special b --special a < strings", 64, "--special a is given twice, as token 0 and 2"), ("train --size 300 --special '' < strings", 64, "--special takes 1 to 1024 bytes"),
            ("train --size 300 --limit-alphabet 20 < strings", 64, "--limit-alphabet goes with --initial-alphabet seen"), ("train --size 300 --longest-token 1 < strings", 64, "--longest-token takes a number from 2"),
            ("train --size 300 --json < strings; exit; :", 64, "--json needs -o FILE"), ("train --size 300 --min-frequency -1 < strings", 64, "--min-frequency takes a number from 0"), ("train --size 300 - - < strings", 64, "standard input (-) is named twice"),
            ("train --size 300 plain", 65, "plain: line 1, column "), ("train --size 300 numbers", 65, "numbers: line 2: expected a JSON string, found a number (--text reads plain text)"),
            ("train --size 300 packed.gz", 65, "packed.gz: compressed by gzip; unpack it first"), ("train --size 300 --memory 1 many", 65, "the texts have more distinct pieces than 1 MiB hold ("),
            ("train --size 300 cut.uf", 65, "cut.uf: frame "), ("train --size 300 \(Command.quoted(Fixtures.path("streams/version-1/tokens-none.uf")))", 65, Fixtures.path("streams/version-1/tokens-none.uf") + ": "),
        ] {
            let outcome = Command.shell(
                """
                [ -f strings ] || { echo '"ab cd"' > strings; echo 'plain text' > plain; printf '"a"\\n1\\n' > numbers; gzip -c strings > packed.gz
                uf-convert \(Self.raw) | head -c 5000 > cut.uf; seq 100000 120000 | tr 0-9 a-j | sed 's/.*/"&"/' > many; }
                o='-o out.json'; uf-tokenize \(script) $o
                """, in: folder)
            #expect(outcome.status == status && outcome.output.isEmpty && outcome.errors.hasPrefix("uf-tokenize: " + message) && outcome.errors.count(where: { $0 == "\n" }) == 1, "\(script): \(outcome.status) \(outcome.errors)")
            #expect(!self.folder.contents.contains("out.json"), "\(script)")
        }
    }

    /// What is no UTF-8 is told, in plain text and in strings.
    @Test func replacedBytesAreTold() {
        let outcome = Command.shell("printf 'a\\377b\\n' | uf-tokenize train --text --size 258 > x.json; echo '\"\\ud83d \\ud83d\"' | uf-tokenize train --size 258 > y.json", in: folder.path)
        #expect(outcome.status == 0 && outcome.errors == """
            uf-tokenize: 0 lone surrogates and 1 invalid byte replaced by U+FFFD
            uf-tokenize: 2 lone surrogates and 0 invalid bytes replaced by U+FFFD

            """, "\(outcome.errors)")
    }
}
