import Glibc
import SystemIO
import TestSupport
import Testing

/// Every system call of a command fails once, and every one is once the last before a kill that no process can answer.
///
/// The commands run with Tests/FaultInjection/faults.c between them and the C library.
@Suite struct FaultInjectionTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        /// A command line that makes `target` from files that `prepare` made.
        var prepare: String, run: String, target: String
        var testDescription: String { name }
    }

    static let raw = Command.quoted(Fixtures.path("ultrafeedback/vicuna_bench.jsonl.gz")), stories = Command.quoted(Fixtures.path("models/stories260K"))

    static let cases = [
        Case(name: "convert", prepare: "for i in $(seq 12); do zcat \(raw); done > raw.jsonl", run: "uf-convert raw.jsonl -j 2 -o out.uf", target: "out.uf"),
        Case(name: "convert gzip with report", prepare: "cp \(raw) raw.gz; chmod u+w raw.gz", run: "uf-convert raw.gz -j 1 --report out.json -o out.uf", target: "out.uf"),
        Case(name: "shards", prepare: "zcat \(raw) > raw.jsonl", run: "uf-convert raw.jsonl -j 1 --shards 3 -o out-%d-of-%d.uf", target: "out.MANIFEST"),
        Case(name: "convert in parts", prepare: "zcat \(raw) > raw.jsonl", run: "uf-convert raw.jsonl -j 1 --split a=0.5,b=0.5 -o out-%.uf", target: "out-b.uf"),
        Case(name: "tokenize", prepare: "uf-convert \(raw) -o rated.uf", run: "uf-tokenize rated.uf --tokenizer \(stories)/tokenizer.json --template plain -j 1 -o out.uf", target: "out.uf"),
        Case(name: "learn a vocabulary", prepare: "uf-convert \(raw) -o rated.uf", run: "uf-tokenize train rated.uf --size 300 -j 1 -o out.json", target: "out.json"),
        Case(name: "pack", prepare: "uf-convert \(raw) | uf-tokenize --tokenizer \(stories)/tokenizer.json --template plain > tokens.uf",
             run: "uf-pack tokens.uf --max-length 512 --overlong cut --order shuffled --shuffle-memory 1 -o out.uf", target: "out.uf"),
        // The parts appear one after the other: the last one says that all are there.
        Case(name: "split", prepare: "uf-convert \(raw) -o rated.uf", run: "uf-records split --parts 4 rated.uf -o out-%.uf", target: "out-003.uf"),
        // So little memory that every few records go to a temporary file.
        Case(name: "shuffle", prepare: "uf-convert \(raw) -o rated.uf", run: "uf-records shuffle --memory 0.1 rated.uf -o out.uf", target: "out.uf"),
        Case(name: "sort", prepare: "uf-convert \(raw) -o rated.uf", run: "uf-records sort --by id --memory 0.1 rated.uf -o out.uf", target: "out.uf"),
        Case(name: "import", prepare: "uf-convert \(raw) -o rated.uf && uf-records view --with-head rated.uf > lines",
             run: "uf-records import lines -j 1 -o out.uf", target: "out.uf"),
        Case(name: "salvage", prepare: "uf-convert \(raw) | uf-records split --records 10 --part 0 > whole.uf; head -c -200 whole.uf > cut.uf",
             run: "uf-records salvage cut.uf --report out.json -o out.uf", target: "out.uf"),
    ]

    private func prepared(_ test: Case) -> TemporaryFolder {
        let folder = TemporaryFolder(inMemory: true)
        let made = Command.shell("\(test.prepare); \(test.run) 2>/dev/null && mkdir first && mv out* first && ls first | wc -l", in: folder.path)
        #expect(made.status == 0, "\(test.name): \(made.errors)")
        return folder
    }

    /// bash: runs the command with a fault and says what came of it, in one line.
    private func script(_ test: Case) -> String {
        """
        attempt() {
          rm -rf out* .out*
          LD_PRELOAD=\(Command.quoted(FaultInjection.path)) UFTOOLS_FAULT=$1 \(test.run) 2> errors > /dev/null
          status=$?
        }
        """
    }

    /// The N-th call fails, N = 1, 2, 3 ... until the command makes none any more: a documented status, one line, and nothing under the final name.
    @Test(.enabled(if: FaultInjection.isBuilt, "needs a C compiler"), arguments: cases, ["read:5", "write:28", "fsync:5", "rename:5", "open:24"])
    func everyFailureIsClean(test: Case, fault: String) {
        let folder = prepared(test), parts = fault.split(separator: ":")
        let outcome = Command.shell(
            script(test) + """

            for n in $(seq 1 400); do
              attempt \(parts[0]):$n:\(parts[1])
              if [ $status = 0 ]; then
                # Past the last call, or a failure that makes no difference: the result must be whole.
                for f in first/*; do cmp -s $f ${f#first/} || echo "call $n: status 0, but $f differs"; done
                [ $(ls -A | grep -c '^\\.out') = 0 ] || echo "call $n: leftovers"
                success=$((${success:-0} + 1))
                [ $success -lt 4 ] || { echo done $n; exit 0; }
                continue
              fi
              success=0
              case $status in 65|66|70|73|74) ;; *) echo "call $n: status $status: $(cat errors)" ;; esac
              [ "$(grep -c '^uf-' errors)" -ge 1 ] || echo "call $n: no message: $(head -c 300 errors)"
              # The folder's own sync comes after the rename: then the new file is there and whole, and only a crash of the machine could still lose it.
              if [ -e \(test.target) ]; then
                [ \(parts[0]) = fsync ] || echo "call $n: status $status, but \(test.target) is there"
                for f in first/*; do cmp -s $f ${f#first/} || echo "call $n: status $status, and $f differs"; done
              fi
              [ $(ls -A | grep -c '^\\.out') = 0 ] || echo "call $n: leftovers: $(ls -A | tr '\\n' ' ')"
            done
            echo "no end of calls"
            """, in: folder.path)
        let text = String(decoding: outcome.output, as: UTF8.self)
        #expect(text.hasPrefix("done ") && text.split(separator: "\n").count == 1, "\(test.name), \(fault): \(text.prefix(1500))")
    }

    /// Killed before its N-th call of any kind, at 200 places spread over the run: the target is absent or whole, the old one stands otherwise, and the next run makes
    /// the same bytes and clears what was left.
    @Test(.enabled(if: FaultInjection.isBuilt, "needs a C compiler"), arguments: cases)
    func everyMomentMayBeTheLast(test: Case) {
        let folder = prepared(test)
        let outcome = Command.shell(
            script(test) + """

            low=1; high=100000
            while [ $low -lt $high ]; do
              middle=$(((low + high) / 2)); attempt any:$middle:kill
              if [ $status = 0 ]; then high=$middle; else low=$((middle + 1)); fi
            done
            calls=$low
            old() { rm -rf out* .out*; for f in first/*; do echo old > ${f#first/}; done; }
            for n in $(seq 200 | awk -v calls=$calls -v seed=7 'BEGIN { srand(seed) } { print calls <= 200 ? $1 : 1 + int(rand() * calls) }' | sort -nu); do
              [ $n -lt $calls ] || continue
              old
              LD_PRELOAD=\(Command.quoted(FaultInjection.path)) UFTOOLS_FAULT=any:$n:kill \(test.run) 2> errors > /dev/null
              status=$?
              [ $status = 137 ] || echo "call $n: status $status"
              for f in first/*; do
                g=${f#first/}
                [ ! -e $g ] || [ "$(head -c 4 $g)" = "old" ] || cmp -s $f $g || echo "call $n: $g is neither old nor whole"
              done
              if [ -e \(test.target) ] && [ "$(head -c 4 \(test.target))" != old ]; then
                for f in first/*; do [ "$f" = first/out.json ] || cmp -s $f ${f#first/} || echo "call $n: \(test.target) is there before $f"; done
              fi
              \(test.run) 2>/dev/null || echo "call $n: the next run failed"
              for f in first/*; do cmp -s $f ${f#first/} || echo "call $n: the next run made another $f"; done
              [ $(ls -A | grep -c '^\\.out') = 0 ] || echo "call $n: leftovers: $(ls -A | tr '\\n' ' ')"
              tried=$((${tried:-0} + 1))
            done
            echo "$tried of $calls"
            """, in: folder.path)
        let lines = String(decoding: outcome.output, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 1 && lines.last?.contains(" of ") == true, "\(test.name): \(lines.prefix(12).joined(separator: "\n"))\(outcome.errors.prefix(500))")
        print("\(test.name): killed before \(lines.last ?? "") calls")
    }
}
