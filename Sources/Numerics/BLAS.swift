import CNumerics
import COpenBLAS
import Glibc

/// OpenBLAS, with the kernels that this CPU can run and one thread a call.
///
/// Results are the same bits on one CPU class with one set of kernels; `kernelName` belongs into what a run records.
public enum BLAS {
    /// How the kernels were chosen.
    public struct Choice: Sendable, Equatable {
        /// OpenBLAS's name of the kernels in use, such as "SkylakeX".
        public var name: String
        /// What OpenBLAS had chosen by itself.
        public var libraryChoice: String
        /// The environment variable OPENBLAS_CORETYPE was set by the user and is left alone.
        public var isUserChoice: Bool
        /// What this CPU should run, when the kernels in use are slower ones: the user's choice, or an OpenBLAS without run-time dispatch.
        public var expected: String?

        public var summary: String {
            var line = "OpenBLAS kernels: \(name)"
            if isUserChoice {
                line += " (by OPENBLAS_CORETYPE)"
            } else if name != libraryChoice {
                line += " (by CPUID; the library's own choice was \(libraryChoice))"
            }
            if let expected { line += isUserChoice ? "; \(expected) would be faster on this CPU" : "; \(expected) would be faster on this CPU, but this OpenBLAS cannot switch" }
            return line
        }

        public var warning: String? {
            guard let expected, !isUserChoice else { return nil }
            return "OpenBLAS runs its \(name) kernels and cannot switch to the faster \(expected) ones of this CPU; install an OpenBLAS with run-time dispatch (DYNAMIC_ARCH)"
        }
    }

    /// Made once, before the first product.
    public static let choice: Choice = choose()

    public static var kernelName: String { choice.name }

    /// One line for `-v`.
    public static var summary: String { choice.summary }

    /// One line where products are slow for no reason that the user gave.
    public static var warning: String? { choice.warning }

    /// The core type for a CPU class: what is named is in every OpenBLAS from 0.3.0 on, unlike newer names.
    static func coreType(for cpu: uf_cpu_class) -> String? {
        switch cpu {
        case uf_cpu_avx512: "SkylakeX"
        case uf_cpu_avx2: "Haswell"
        default: nil
        }
    }

    /// Kernels that are as fast as the preferred ones: the library's own choice among them stands.
    static func isGood(_ name: String, for cpu: uf_cpu_class) -> Bool {
        switch cpu {
        case uf_cpu_avx512: ["skylakex", "cooperlake", "sapphirerapids"].contains(name.lowercased())
        case uf_cpu_avx2: ["haswell", "zen", "skylakex", "cooperlake", "sapphirerapids"].contains(name.lowercased())
        default: true
        }
    }

    private static func choose() -> Choice {
        openblas_set_num_threads(1)
        let library = currentName()
        let cpu = uf_cpu_class_of_this_machine(), wanted = isGood(library, for: cpu) ? nil : coreType(for: cpu)
        if getenv("OPENBLAS_CORETYPE") != nil { return Choice(name: library, libraryChoice: library, isUserChoice: true, expected: wanted) }
        guard let wanted else { return Choice(name: library, libraryChoice: library, isUserChoice: false, expected: nil) }
        // Only for the moment of the choice: a child process chooses for itself.
        setenv("OPENBLAS_CORETYPE", wanted, 1)
        let switched = uf_openblas_choose_again() != 0
        unsetenv("OPENBLAS_CORETYPE")
        openblas_set_num_threads(1)
        let name = switched ? currentName() : library
        return Choice(name: name, libraryChoice: library, isUserChoice: false, expected: isGood(name, for: cpu) ? nil : wanted)
    }

    private static func currentName() -> String {
        uf_openblas_core_name().map { String(cString: $0) } ?? "unknown"
    }

    public typealias Factor = FactorOf<Float>
    public typealias DoubleFactor = FactorOf<Double>

    /// One factor of a product: a row-major matrix, read as it stands or transposed. The stride counts elements from row to row.
    public struct FactorOf<Element> {
        var base: UnsafePointer<Element>, stride: Int, isTransposed: Bool

        @inline(__always)
        public init(_ base: UnsafePointer<Element>, stride: Int, transposed: Bool = false) {
            self.base = base
            self.stride = stride
            isTransposed = transposed
        }
    }

    /// C = scale A B + beta C on this thread, row-major: A is [m][k], B is [k][n] (as read), C is [m][n].
    @inline(__always)
    public static func multiply(_ m: Int, _ n: Int, _ k: Int, scale: Float = 1, _ a: Factor, _ b: Factor, beta: Float = 0,
                                into c: UnsafeMutablePointer<Float>, stride: Int) {
        cblas_sgemm(CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans, b.isTransposed ? CblasTrans : CblasNoTrans,
                    blasint(truncatingIfNeeded: m), blasint(truncatingIfNeeded: n), blasint(truncatingIfNeeded: k), scale,
                    a.base, blasint(truncatingIfNeeded: a.stride), b.base, blasint(truncatingIfNeeded: b.stride), beta,
                    c, blasint(truncatingIfNeeded: stride))
    }

    /// The same in double precision.
    public static func multiply(_ m: Int, _ n: Int, _ k: Int, scale: Double = 1, _ a: DoubleFactor, _ b: DoubleFactor, beta: Double = 0,
                                into c: UnsafeMutablePointer<Double>, stride: Int) {
        cblas_dgemm(CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans, b.isTransposed ? CblasTrans : CblasNoTrans,
                    blasint(truncatingIfNeeded: m), blasint(truncatingIfNeeded: n), blasint(truncatingIfNeeded: k), scale,
                    a.base, blasint(truncatingIfNeeded: a.stride), b.base, blasint(truncatingIfNeeded: b.stride), beta,
                    c, blasint(truncatingIfNeeded: stride))
    }
}
