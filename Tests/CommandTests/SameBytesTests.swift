import TestSupport
import Testing

/// The same bytes for every number of threads, from files and through pipes, whatever the sizes in which they are read.
@Suite struct SameBytesTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        /// The command line without input, threads and output; its input.
        var command: String, input: String
        var hasThreads = true
        var testDescription: String { name }
    }

    private static let stories = Command.quoted(Fixtures.path("models/stories260K"))

    static let cases = [
        Case(name: "convert", command: "uf-convert", input: "raw.jsonl"),
        Case(name: "convert, gzip", command: "uf-convert", input: "raw.jsonl.gz"),
        Case(name: "tokenize", command: "uf-tokenize --tokenizer \(stories) --template plain", input: "rated.uf"),
        Case(name: "pack", command: "uf-pack --max-length 512 --overlong cut", input: "tokens.uf", hasThreads: false),
        Case(name: "records cat", command: "uf-records cat --codec zlib", input: "rated.uf", hasThreads: false),
    ]

    /// More than a chunk of raw data and a block of records, so that threads have something to share.
    private static let prepare = """
        zcat \(Command.quoted(Fixtures.path("ultrafeedback/vicuna_bench.jsonl.gz"))) > half; cat half half > raw.jsonl; gzip -k raw.jsonl
        uf-convert raw.jsonl -o rated.uf && uf-tokenize rated.uf --tokenizer \(stories) --template plain -o tokens.uf 2> /dev/null
        """

    @Test(.enabled(if: FaultInjection.isBuilt, "needs a C compiler"), arguments: cases)
    func threadsPipesAndReadSizes(test: Case) {
        let folder = TemporaryFolder(), library = Command.quoted(FaultInjection.path)
        let outcome = Command.shell(
            """
            { \(Self.prepare); } 2> errors || { cat errors >&2; exit 1; }
            slowly() { UFTOOLS_READ_SIZE=$size LD_PRELOAD=\(library) "$@" 2>> told; }
            [ "$(printf abcdef | size=2 slowly dd bs=6 count=1)" = ab ] || echo "reads are not made short"
            for size in 1048576 4096 17 1; do
              for j in \(test.hasThreads ? "1 2 3 8" : "none"); do
                threads="-j $j"; [ $j != none ] || threads=
                slowly \(test.command) $threads \(test.input) -o file.uf || echo "-j $j, reads of $size: status $?"
                cat \(test.input) | slowly \(test.command) $threads > pipe.uf || echo "-j $j, reads of $size, pipe: status $?"
                [ -e first.uf ] || cp file.uf first.uf
                cmp file.uf first.uf; cmp pipe.uf first.uf
                runs=$((${runs:-0} + 2))
              done
            done
            uf-records check first.uf > /dev/null; echo $runs
            """, in: folder.path)
        #expect(outcome.status == 0 && String(decoding: outcome.output, as: UTF8.self) == (test.hasThreads ? "32\n" : "8\n"),
                "\(test.name): \(String(decoding: outcome.output, as: UTF8.self).prefix(2000))\(outcome.errors.prefix(500))")
    }
}
