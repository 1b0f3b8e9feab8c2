import CommandSupport
import JSON
import PreferenceData
import RecordStream
import SystemIO

/// What `-v` tells of a conversion, in at most 100 columns.
struct ConversionTables {
    private let conversion: Conversion
    private let all: SourceStatistics

    init(_ conversion: Conversion) {
        self.conversion = conversion
        all = conversion.statistics?.all ?? SourceStatistics()
    }

    private static let width = 100
    /// Names of sources and dimensions.
    private static let longestName = 24
    /// A matrix of more would be wider than a screen; the report has them all.
    private static let mostCorrelated = 8

    var lines: [String] {
        let tables = [records, places, ratings, lengths] + all.dimensions.map(histogram) + [correlations, benchmarks]
        return Array(tables.filter { !$0.isEmpty }.joined(separator: [""])).map { TextTable.cell($0, most: ConversionTables.width) }
    }

    private func name(_ text: Text) -> String { TextTable.cell("\(text)", most: ConversionTables.longestName) }
    private func percent(_ share: Double?) -> String { share.map { decimal($0 * 100, 0) + " %" } ?? "" }

    /// Of a place that is too long the end, which has its number.
    private func ending(_ place: String) -> String {
        let room = ConversionTables.width - 4
        return place.count <= room ? place : "..." + place.suffix(room - 3)
    }

    private var records: [String] {
        var table = TextTable([("", .left), ("", .right)])
        for row in conversion.counts.recordRows { table.add(row) }
        return table.lines() + (conversion.options.deduplication == .near ? [DuplicateIndex.parameters] : [])
    }

    private var places: [String] {
        let found = conversion.counts.oddities
        guard !found.isEmpty else { return [] }
        return ["first places"] + found.flatMap { words, places in ["  " + words] + places.map { "    " + ending("\($0)") } }
    }

    /// A line for each source with its records, then one for each of its dimensions.
    private var ratings: [String] {
        var table = TextTable([
            ("ratings", .left), ("rated", .right), ("N/A", .right), ("missing", .right), ("null", .right), ("outside", .right), ("mean", .right),
            ("tied", .right), ("left out", .right), ("entropy", .right),
        ])
        for (source, statistics) in conversion.statistics?.bySource ?? [] {
            table.add([name(source)] + Array(repeating: "", count: 9))
            for dimension in statistics.dimensions {
                let counts = conversion.counts.sources[source]?[dimension.name]
                let states = [RatingState.notApplicable, .missing, .null, .outOfRange].map { state in counts.map { "\($0.count(state))" } ?? "" }
                table.add(["  " + name(dimension.name), "\(dimension.rated)"] + states + [
                    dimension.mean.map { decimal($0, 2) } ?? "", percent(dimension.tiedShare), counts.map { "\($0.leftOut)" } ?? "",
                    percent(dimension.relativeEntropy),
                ])
            }
        }
        return table.isEmpty ? [] : table.lines() + ["tied: of the pairs of responses; entropy: of the targets, as a share of ln N"]
    }

    private var lengths: [String] {
        let shares = [0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
        let quantiles = shares.map { (decimal($0 * 100, 0) + " %", TextTable.Alignment.right) }
        var table = TextTable([("bytes of UTF-8", .left), ("texts", .right), ("shortest", .right)] + quantiles + [("longest", .right)])
        for (what, lengths) in [("prompt", all.promptBytes), ("response", all.responseBytes)] where lengths.count > 0 {
            table.add([what, "\(lengths.count)", "\(lengths.minimum)"] + shares.map { "\(lengths.quantile($0))" } + ["\(lengths.maximum)"])
        }
        return table.isEmpty ? [] : table.lines()
    }

    private func histogram(_ dimension: DimensionStatistics) -> [String] {
        let bars = dimension.histogram.bars
        guard !bars.isEmpty else { return [] }
        return ["\(name(dimension.name)), ratings"] + barChart(bars.map { bar in
            (bar.low == bar.high ? number(bar.low) : "\(number(bar.low)) to \(number(bar.high))", bar.count)
        })
    }

    private func number(_ value: Double) -> String { value == value.rounded() ? decimal(value, 0) : decimal(value, 2) }

    private var correlations: [String] {
        let shown = all.dimensions.prefix(ConversionTables.mostCorrelated)
        guard shown.count >= 2 else { return [] }
        var table = TextTable([("correlation (Pearson)", .left)] + shown.dropLast().indices.map { ("\($0 + 1)", .right) })
        for (b, dimension) in shown.enumerated() {
            let cells = (0 ..< shown.count - 1).map { a in a < b ? all.correlation(a, b).r.map { decimal($0, 2) } ?? "-" : "" }
            table.add(["\(b + 1) \(name(dimension.name))"] + cells)
        }
        let rest = all.dimensions.count - shown.count
        return table.lines() + (rest > 0 ? ["and \(counted(rest, "dimension")) more (--report FILE has all)"] : [])
    }

    private var benchmarks: [String] {
        let rows = conversion.decontaminationRows
        guard !rows.isEmpty else { return [] }
        var table = TextTable([("benchmark", .left), ("documents", .right), ("records left out", .right)])
        for row in rows { table.add(row) }
        return table.lines()
    }
}
