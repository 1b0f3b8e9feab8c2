#if arch(x86_64)
import TestSupport
import Testing

/// What the commands say of slow kernels, with an OpenBLAS that knows only one kind of them: its name is answered by a library loaded before it.
@Suite struct SlowKernelsTests {
    private let folder = TemporaryFolder()

    private static let canRun: Bool = Command.shell("grep -qw avx2 /proc/cpuinfo && { command -v clang || command -v cc || command -v gcc; }", in: "/").status == 0

    @Test(.enabled(if: canRun, "needs AVX2 and a C compiler")) func onlyWhatNobodyChoseIsToldWithoutVerbose() {
        let stories = Fixtures.path("models/stories260K")
        let made = Command.shell(
            """
            echo 'const char *openblas_get_corename(void) { return "Prescott"; }' > name.c
            for c in clang cc gcc; do command -v $c >/dev/null && $c -shared -fPIC -o name.so name.c && break; done
            zcat \(Fixtures.path("ultrafeedback/binarized.jsonl.gz")) | head -8 | uf-convert | uf-tokenize --tokenizer \(stories) --template plain |
              uf-pack --max-length 512 --overlong drop -o packed.uf 2>/dev/null && uf-eval score packed.uf --model \(stories) -o scores.uf
            """, in: folder.path)
        #expect(made.status == 0, "\(made.errors)")
        let scripts = [
            "uf-train \(stories) --data packed.uf --warmup 0 -o out", "uf-eval score packed.uf --model \(stories) -o out.uf",
            "uf-eval preference packed.uf --model \(stories) --reference scores.uf -o figures",
            "uf-eval bench --model \(stories) --tasks arc_challenge --data \(Fixtures.path("benchmarks")) --limit 1 -o figures",
        ]
        for script in scripts {
            let command = script.prefix { $0 != " " }
            let told = Command.shell("unset OPENBLAS_CORETYPE; LD_PRELOAD=$PWD/name.so \(script)", in: folder.path)
            let start = "\(command): warning: OpenBLAS runs its Prescott kernels and cannot switch to the faster ", lines = told.errors.split(separator: "\n").filter { $0.contains("OpenBLAS") }
            #expect(told.status == 0 && lines.count == 1 && lines[0].hasPrefix(start), "\(script): \(told.status): \(told.errors)")
            let chosen = Command.shell("export OPENBLAS_CORETYPE=Prescott; LD_PRELOAD=$PWD/name.so \(script)", in: folder.path)
            #expect(chosen.status == 0 && !chosen.errors.contains("OpenBLAS"), "\(script): \(chosen.errors)")
            let asked = Command.shell("export OPENBLAS_CORETYPE=Prescott; LD_PRELOAD=$PWD/name.so \(script) -v", in: folder.path)
            #expect(asked.errors.contains("OpenBLAS kernels: Prescott (by OPENBLAS_CORETYPE); "), "\(script): \(asked.errors)")
        }
        // What was scored already needs no kernels.
        let read = Command.shell("unset OPENBLAS_CORETYPE; LD_PRELOAD=$PWD/name.so uf-eval preference packed.uf --model scores.uf --reference scores.uf -o figures", in: folder.path)
        #expect(read.status == 0 && !read.errors.contains("OpenBLAS"), "\(read.errors)")
    }
}
#endif
