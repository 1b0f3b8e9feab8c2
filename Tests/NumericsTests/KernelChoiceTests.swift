#if arch(x86_64)
import CNumerics
import Glibc
import Testing
@testable import Numerics

/// The switch of OpenBLAS's kernels, in processes of its own: it is made before the first product and cannot be made beside one.
struct KernelChoiceTests {
    @Test func aSlowChoiceOfTheLibraryIsCorrected() async {
        await #expect(processExitsWith: .success) {
            // As on a CPU that the library does not know: it falls back to kernels of 2004.
            setenv("OPENBLAS_CORETYPE", "Prescott", 1)
            guard uf_openblas_choose_again() == 1 else { exit(0) }
            unsetenv("OPENBLAS_CORETYPE")
            let cpu = uf_cpu_class_of_this_machine(), choice = BLAS.choice
            guard cpu != uf_cpu_other else { exit(0) }
            guard choice.libraryChoice == "Prescott", !choice.isUserChoice, choice.expected == nil, BLAS.isGood(choice.name, for: cpu),
                  getenv("OPENBLAS_CORETYPE") == nil,
                  BLAS.summary == "OpenBLAS kernels: \(choice.name) (by CPUID; the library's own choice was Prescott)" else { exit(1) }
            // The new kernels work.
            var c: [Float] = [0, 0, 0, 0]
            BLAS.multiply(2, 2, 2, BLAS.Factor([1, 2, 3, 4], stride: 2), BLAS.Factor([5, 6, 7, 8], stride: 2), into: &c, stride: 2)
            exit(c == [19, 22, 43, 50] ? 0 : 2)
        }
    }

    @Test func theUsersChoiceStands() async {
        await #expect(processExitsWith: .success) {
            setenv("OPENBLAS_CORETYPE", "Prescott", 1)
            guard uf_openblas_choose_again() == 1 else { exit(0) }
            let choice = BLAS.choice
            guard choice.name == "Prescott", choice.isUserChoice else { exit(1) }
            guard uf_cpu_class_of_this_machine() != uf_cpu_avx512 || BLAS.summary
                == "OpenBLAS kernels: Prescott (by OPENBLAS_CORETYPE); SkylakeX would be faster on this CPU" else { exit(2) }
            exit(0)
        }
    }

    @Test func whatNobodyChoseIsWorthAWarning() {
        var choice = BLAS.Choice(name: "Prescott", libraryChoice: "Prescott", isUserChoice: false, expected: "Haswell")
        #expect(choice.warning == "OpenBLAS runs its Prescott kernels and cannot switch to the faster Haswell ones of this CPU; install an OpenBLAS with run-time dispatch (DYNAMIC_ARCH)")
        #expect(choice.summary == "OpenBLAS kernels: Prescott; Haswell would be faster on this CPU, but this OpenBLAS cannot switch")
        choice.isUserChoice = true
        #expect(choice.warning == nil)
        choice = BLAS.Choice(name: "Haswell", libraryChoice: "Prescott", isUserChoice: false, expected: nil)
        #expect(choice.warning == nil)
    }

    /// Kernels of every kind that this CPU can run: each sums in its own way, and none may let a row see its neighbours.
    static let everyKind: [String] = switch uf_cpu_class_of_this_machine() {
    case uf_cpu_avx512: ["Prescott", "Core2", "Nehalem", "Sandybridge", "Haswell", "SkylakeX"]
    case uf_cpu_avx2: ["Prescott", "Core2", "Nehalem", "Sandybridge", "Haswell"]
    default: ["Prescott"]
    }

    @Test(arguments: everyKind) func rowsAreIndependentWithEveryKernel(name: String) async {
        await #expect(processExitsWith: .success) { [name] in
            setenv("OPENBLAS_CORETYPE", name, 1)
            guard uf_openblas_choose_again() == 1 else { exit(0) }
            exit(BLAS.kernelName.lowercased() == name.lowercased() && BLAS.rowsAreIndependent ? 0 : 1)
        }
    }
}
#endif
