import CNumerics
import Testing
import TestSupport
@testable import Numerics

struct BLASTests {
    @Test func kernelsFitTheProcessor() {
        let choice = BLAS.choice, cpu = uf_cpu_class_of_this_machine()
        #expect(!choice.name.isEmpty)
        #expect(BLAS.isGood(choice.name, for: cpu) == (choice.expected == nil), "\(BLAS.summary)")
        print(BLAS.summary)
        #expect(BLAS.summary.hasPrefix("OpenBLAS kernels: \(choice.name)"))
    }

    @Test func coreTypes() {
        #expect(BLAS.coreType(for: uf_cpu_avx512) == "SkylakeX")
        #expect(BLAS.coreType(for: uf_cpu_avx2) == "Haswell")
        #expect(BLAS.coreType(for: uf_cpu_other) == nil)
        #expect(!BLAS.isGood("Prescott", for: uf_cpu_avx2))
        #expect(!BLAS.isGood("Haswell", for: uf_cpu_avx512))
        #expect(BLAS.isGood("Zen", for: uf_cpu_avx2))
    }
}
