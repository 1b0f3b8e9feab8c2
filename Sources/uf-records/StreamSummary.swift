import CommandSupport
import JSON
import RecordStream
import SystemIO

/// All that `stats` tells about one stream.
struct StreamSummary {
    let name: String
    let head: StreamHead
    let tail: StreamTail
    let bytes: Int
    let codec: Codec
    let content: String
    let statistics: StreamStatistics
    let stages: [StageCounts]

    /// - Parameter contents: whether the records are counted; else only the stages.
    init(_ file: String, contents: Bool) throws {
        let reader = try RecordStreamReader(openInput(file))
        var statistics = StreamStatistics(reader.head.schema)
        while let block = try reader.nextBlock() {
            if contents { try statistics.add(block) }
        }
        guard let tail = reader.tail, let content = reader.contentDigest else { throw InputError("\(reader.name): no tail", status: .internalError) }
        (name, head, self.tail, bytes, codec, self.content) = (reader.name, reader.head, tail, reader.bytesRead, reader.codec, content)
        self.statistics = statistics
        stages = StageCounts.all(head, tail)
    }

    private var dimensions: [(Text, StreamStatistics.DimensionStatistics)] { statistics.dimensions.sorted { $0.key < $1.key } }

    // MARK: JSON

    func json(stages onlyStages: Bool) -> JSONValue {
        let stages = JSONValue.array(stages.map { stage in
            .object([("command", .string(stage.command)), ("counts", .object(stage.counts.map { ($0.name, JSONValue($0.count)) }))])
        })
        if onlyStages { return .object([("file", .string(name)), ("stages", stages)]) }
        return .object([
            ("file", .string(name)), ("kind", .string(head.schema.kind)), ("records", JSONValue(statistics.records)), ("blocks", JSONValue(statistics.blocks)),
            ("bytes", JSONValue(bytes)), ("codec", .string(codec.name)), ("content", .string(content)),
            ("columns", .array(statistics.columns.map(json))), ("dimensions", .object(dimensions.map { JSONMember($0, json($1)) })),
            ("counts", tail.counts), ("licences", .object(tail.licences.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })), ("stages", stages),
        ])
    }

    private func json(_ column: StreamStatistics.ColumnStatistics) -> JSONValue {
        var members: [(String, JSONValue)] = [("name", .string(column.column.name)), ("bytes", JSONValue(column.bytes))]
        if column.lengths.count > 0 { members.append(("lengths", json(column.lengths))) }
        if column.lists.count > 0 { members.append(("lists_a_record", json(column.lists))) }
        return .object(members)
    }

    private func json(_ lengths: LengthDistribution) -> JSONValue {
        .object([
            ("count", JSONValue(lengths.count)), ("sum", JSONValue(lengths.sum)), ("min", JSONValue(lengths.minimum)), ("p50", JSONValue(lengths.quantile(0.5))),
            ("p90", JSONValue(lengths.quantile(0.9))), ("p99", JSONValue(lengths.quantile(0.99))), ("max", JSONValue(lengths.maximum)), ("mean", .number(lengths.mean)),
        ])
    }

    private func json(_ dimension: StreamStatistics.DimensionStatistics) -> JSONValue {
        .object([
            ("records", JSONValue(dimension.records)), ("left_out", JSONValue(dimension.leftOut)), ("responses", JSONValue(dimension.responses)),
            ("rated", JSONValue(dimension.rated)), ("marked", JSONValue(dimension.marked)), ("mean_rating", dimension.meanRating.map { .number($0) } ?? .null),
            ("ratings", .object(dimension.ratings.sorted { $0.key < $1.key }.map { ("\($0.key)", JSONValue($0.value)) })),
            ("other_ratings", JSONValue(dimension.otherRatings)), ("relative_entropy", dimension.relativeEntropy.map { .number($0) } ?? .null),
        ])
    }

    // MARK: Text

    func text() throws -> String {
        var text = "\(name): \(counted(statistics.records, "\(head.schema.kind) record")) in \(counted(statistics.blocks, "block")), "
            + "\(Progress.quantity(Double(bytes)))B\(codec == .none ? "" : " (\(codec.name))"), content \(content)\n\n"
        text += columnTable() + "\n" + histograms()
        if !dimensions.isEmpty { text += dimensionTable() + "\n" + dimensions.map(ratingHistogram).joined() }
        let stages = StageTable.text([self])
        return text + stages + "\n"
    }

    private func columnTable() -> String {
        var table = TextTable([
            ("column", .left), ("bytes", .right), ("lists", .right), ("shortest", .right), ("median", .right), ("90 %", .right), ("99 %", .right), ("longest", .right), ("of", .left),
        ])
        for column in statistics.columns {
            let lengths = column.lengths
            let cells = lengths.count == 0
                ? ["", "", "", "", "", "", ""]
                : ["\(lengths.count)", "\(lengths.minimum)", "\(lengths.quantile(0.5))", "\(lengths.quantile(0.9))", "\(lengths.quantile(0.99))", "\(lengths.maximum)",
                   column.column.meaning == .text ? "bytes" : "values"]
            table.add([column.column.name, "\(column.bytes)"] + cells)
        }
        return table.text()
    }

    /// The columns whose lengths decide time and memory: texts and tokens.
    private func histograms() -> String {
        let wanted: Set = ["contents", "responses", "prompts", "tokens"]
        var text = ""
        for column in statistics.columns where wanted.contains(column.column.name) && column.lengths.count > 0 {
            let unit = column.column.meaning == .text ? "bytes" : "tokens"
            text += "\(column.column.name), length in \(unit)\n"
            text += bars(column.lengths.octaves.map { ($0.from == $0.to ? "\($0.from)" : "\($0.from)-\($0.to)", $0.count) })
        }
        return text
    }

    private func bars(_ counts: [(label: String, count: Int)]) -> String { barChart(counts).map { $0 + "\n" }.joined() + "\n" }

    /// How often each rating was given, the lowest first.
    private func ratingHistogram(_ name: Text, _ dimension: StreamStatistics.DimensionStatistics) -> String {
        guard !dimension.ratings.isEmpty else { return "" }
        let counts = dimension.ratings.sorted { $0.key < $1.key }.map { (label: decimal($0.key, $0.key == $0.key.rounded() ? 0 : 2), count: $0.value) }
        return "\(name), ratings\n" + bars(counts + (dimension.otherRatings > 0 ? [("other", dimension.otherRatings)] : []))
    }

    private func dimensionTable() -> String {
        var table = TextTable([
            ("dimension", .left), ("records", .right), ("left out", .right), ("responses", .right), ("rated", .right), ("mean", .right), ("target entropy", .right),
        ])
        for (name, dimension) in dimensions {
            table.add([
                name.description, "\(dimension.records)", "\(dimension.leftOut)", "\(dimension.responses)", "\(dimension.rated)",
                dimension.meanRating.map { decimal($0, 2) } ?? "", dimension.relativeEntropy.map { decimal($0 * 100, 0) + " %" } ?? "",
            ])
        }
        return table.text()
    }
}
