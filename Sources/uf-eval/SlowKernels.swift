import CommandSupport
import Numerics

/// Where a model computes with slower kernels than its CPU could run, and nobody asked for them, that is worth a line without `-v`.
func warnOfSlowKernels() {
    if let warning = BLAS.warning { Console.line("uf-eval: warning: \(warning)") }
}
