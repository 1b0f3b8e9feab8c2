import JSON
import TestSupport
import Testing

/// What a kill that no process can answer leaves behind, and what the next run makes of it.
@Suite struct KilledCommandTests {
    let folder = TemporaryFolder()
    private static let stories = Fixtures.path("models/stories260K")

    private func prepare() {
        let made = Command.shell(
            """
            zcat \(Fixtures.path("ultrafeedback/binarized.jsonl.gz")) | head -20 > raw.jsonl
            uf-convert raw.jsonl | uf-tokenize --tokenizer \(Self.stories) --template plain | uf-pack --max-length 512 --overlong drop -o packed.uf 2>/dev/null
            """, in: folder.path)
        #expect(made.status == 0, "\(made.errors)")
    }

    @Test func theNextRunClearsWhatAKilledOneLeft() {
        prepare()
        let outcome = Command.shell(
            """
            mkfifo one two
            uf-convert one -o out.uf & killed=$!
            uf-convert two -o out.uf 2>/dev/null & live=$!
            exec 3>one 4>two; cat raw.jsonl >&3
            for i in $(seq 200); do [ $(ls -A | grep -c '^.out.uf.tmp-') = 2 ] && break; sleep 0.05; done
            kill -9 $killed; wait $killed 2>/dev/null
            ls -A | grep -c '^.out.uf.tmp-'
            uf-convert raw.jsonl -o out.uf; cp out.uf first.uf
            ls -A | grep '^.out.uf.tmp-' | grep -c -- "-$live\\$"; ls -A | grep -c '^.out.uf.tmp-'
            cat raw.jsonl >&4; exec 4>&-; wait $live; echo $?
            cmp out.uf first.uf; ls -A | grep '^.out'
            """, in: folder.path)
        #expect(String(decoding: outcome.output, as: UTF8.self) == "2\n1\n1\n0\n", "\(String(decoding: outcome.output, as: UTF8.self))\(outcome.errors)")
        #expect(!outcome.errors.contains("uf-convert"), "\(outcome.errors)")
    }

    /// A run's row says running until its process is gone; on another machine nobody can tell.
    @Test func aKilledTrainingRunIsToldFromOneAtWork() throws {
        prepare()
        let outcome = Command.shell(
            """
            uf-train \(Self.stories) --data packed.uf --epochs 10000 --database runs.sqlite -o out & pid=$!
            for i in $(seq 400); do uf-eval report runs.sqlite 2>/dev/null | grep -q 'loss .* at step' && break; sleep 0.05; done
            uf-eval report runs.sqlite --json > alive
            kill -9 $pid; wait $pid 2>/dev/null
            uf-eval report runs.sqlite --json > dead; uf-eval report runs.sqlite | grep -c ' interrupted '
            ls -A | grep -c '^.out.tmp-'
            uf-train \(Self.stories) --data packed.uf --warmup 0 --database runs.sqlite -o out && uf-eval report runs.sqlite --json > both
            ls -A | grep out
            """, in: folder.path)
        #expect(outcome.status == 0 && String(decoding: outcome.output, as: UTF8.self) == "1\n1\nout\n", "\(String(decoding: outcome.output, as: UTF8.self))\(outcome.errors)")
        func statuses(_ name: String) throws -> [String?] {
            try JSON.parse(Command.shell("cat \(name)", in: folder.path).output).array.map { $0.map { $0["status"]?.string } } ?? []
        }
        #expect(try statuses("alive") == ["running"])
        #expect(try statuses("dead") == ["interrupted"])
        #expect(try statuses("both") == ["interrupted", "finished"])
    }
}
