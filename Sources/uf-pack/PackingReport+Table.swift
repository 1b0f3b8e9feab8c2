import CommandSupport
import Packing

extension PackingReport {
    /// What `-v` shows.
    func table(seconds: Double) -> [String] {
        var lengths = TextTable([("tokens", .left)] + ["mean", "min", "p25", "p50", "p75", "p95", "p99", "max"].map { ($0, .right) })
        func add(_ name: String, _ histogram: LengthHistogram) {
            lengths.add([name, decimal(histogram.mean, 1)] + histogram.percentiles([0, 25, 50, 75, 95, 99, 100]).map { "\($0)" })
        }
        add("prompt", prompts)
        add("response", responses)
        add("longest sequence", sequences)
        add("record in its bin", records)
        add("bin", binTokens)
        add("records of a bin", binRecords)

        var layouts = TextTable([("the same records as", .left), ("tokens", .right), ("of the paper's", .right)])
        for (name, tokens) in [
            ("the paper's padded rows, every dimension", paddedRepeatedTokens), ("padded rows, each response once", paddedTokens),
            ("rows without padding", rowTokens), ("prompts shared", counts.tokensOut),
        ] {
            layouts.add([name, "\(tokens)", paddedRepeatedTokens == 0 ? "" : decimal(100 * Double(tokens) / Double(paddedRepeatedTokens), 1) + " %"])
        }

        let filled = fill.map { ", filled to \(decimal(100 * $0, 1)) %" } ?? ""
        let oversize = counts.oversizeBins > 0 ? " (\(counts.oversizeBins) more of one large record each)" : ""
        return lengths.lines() + [""] + layouts.lines() + [
            "",
            "\(counts.recordsOut) of \(counts.recordsIn) records in \(counts.bins - counts.oversizeBins) bins\(filled)\(oversize), "
                + "\(Progress.quantity(Double(counts.recordsIn) / max(seconds, 1e-9))) records/s",
        ]
    }
}
