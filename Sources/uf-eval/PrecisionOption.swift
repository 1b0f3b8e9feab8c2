import ArgumentParser
import LanguageModel
import RecordStream

extension Precision: ExpressibleByArgument {}

struct PrecisionOption: ParsableArguments {
    @Option(name: .customLong("precision"), help: ArgumentHelp("Arithmetic of log-probabilities: single, or double (equal to a float64 reference, and slower).", valueName: "name"))
    var value = Precision.single

    /// For the provenance: what the default gives is not spelled out.
    var arguments: [Provenance.Argument] { value == .single ? [] : [.text("--precision"), .text(value.rawValue)] }
}
