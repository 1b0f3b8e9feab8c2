import Glibc
import TestSupport
import Testing

enum Python {
    /// The command, where there is one that has numpy.
    static let withNumpy: String? = {
        let name = getenv("UFTOOLS_PYTHON").map { String(cString: $0) } ?? "python3"
        return Command.shell("\(Command.quoted(name)) -c 'import numpy'", in: "/").status == 0 ? name : nil
    }()
}

/// Guarantees G9 and G7 from outside: a reader made from FORMAT.md alone, in numpy, agrees with `uf-records view` on every fixture, refuses the damaged ones, and uses the
/// arrays of an uncompressed stream where they lie in the file.
@Suite(.enabled(if: Python.withNumpy != nil, "needs a Python with numpy (python3, or the one that UFTOOLS_PYTHON names)")) struct NumpyReaderTests {
    private let folder = TemporaryFolder()

    private func run(_ script: String) -> Command.Outcome {
        Command.shell(script, in: folder.path, environment: [
            "F": Fixtures.path("streams/version-1"), "PYTHON": Python.withNumpy ?? "", "PYTHONPATH": repositoryRoot + "/pipelines/python", "PYTHONDONTWRITEBYTECODE": "1",
            "CHECK": repositoryRoot + "/pipelines/python/check_record_stream.py", "RAW": Fixtures.path("ultrafeedback/vicuna_bench.jsonl.gz"),
        ])
    }

    @Test func agreesOnEveryFixture() {
        let outcome = run("$PYTHON $CHECK $F/{rated,tokens,packed,logps,answers,rows16,pairs,sft,gaps}-{none,zlib,zstd}.uf $F/empty.uf | sed 's/.*: //'")
        let kinds = (["rated", "tokens", "packed", "logps", "tokens"] + [String](repeating: "packed", count: 4)).flatMap { [String](repeating: "3 \($0) records\n", count: 3) }.joined() + "0 logps records\n"
        #expect(outcome.status == 0 && String(decoding: outcome.output, as: UTF8.self) == kinds, "\(outcome.errors)")
    }

    /// A block of several hundred kilobytes, whose checksum goes through the lanes.
    @Test func agreesOnARealStream() {
        let outcome = run(#"uf-convert "$RAW" -o v.uf && uf-records cat v.uf --codec zstd -o z.uf && $PYTHON $CHECK v.uf z.uf"#)
        #expect(outcome.status == 0 && String(decoding: outcome.output, as: UTF8.self) == "v.uf: 59 rated records\nz.uf: 59 rated records\n", "\(outcome.errors)")
    }

    @Test func checksum() {
        let outcome = run(
            """
            $PYTHON -c '
            import random, record_stream
            def plain(data, state=0xFFFFFFFF):
                for byte in data: state = record_stream.STEPS[(state ^ byte) & 0xFF] ^ (state >> 8)
                return state ^ 0xFFFFFFFF
            assert record_stream.crc32c(b"123456789") == 0xE3069283
            for size in [0, 1, 1023, 1024, 1025, 2048, 70001]:
                data = random.Random(size).randbytes(size)
                assert record_stream.crc32c(data) == plain(data), size
            '
            """)
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    /// Every damaged fixture but the one whose fault is a rule of its kind, and every cut of a small stream.
    @Test func refusesDamage() {
        let outcome = run(
            """
            $PYTHON -c '
            import glob, os, record_stream
            def refuses(path):
                try:
                    for block in record_stream.read(path): pass
                except record_stream.Damaged: return True
                return False
            print(*[os.path.basename(path) for path in sorted(glob.glob(os.environ["F"] + "/bad-*.uf")) if not refuses(path)])
            whole = open(os.environ["F"] + "/logps-zlib.uf", "rb").read()
            for length in range(len(whole)):
                open("x.uf", "wb").write(whole[:length])
                assert refuses("x.uf"), length
                open("x.uf", "wb").write(whole[:length] + bytes([whole[length] ^ 4]) + whole[length + 1:])
                assert refuses("x.uf"), length
            '
            """)
        #expect(outcome.status == 0 && String(decoding: outcome.output, as: UTF8.self) == "bad-matrices.uf\n", "\(outcome.errors)")
    }
}
