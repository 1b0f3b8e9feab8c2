import SystemIO

/// What `RecordFilter` can ask about a record, from the columns of its kind. A bin is asked about all its records together.
enum RecordFact: String, CaseIterable {
    /// Texts: the record's own, or those of all records of a bin.
    case id, source
    /// Numbers.
    case originInput = "origin_input", originLine = "origin_line"
    /// Of the prompt with its longest response: bytes (rated) or tokens (tokens); tokens of a bin; tokens of the longest response (logps).
    case length
    /// N of the record, or of all records of a bin.
    case responses
    /// m of the record; the most of a bin's records.
    case dimensions
    /// Dimensions in which two responses have the same rating.
    case ties
    /// Ratings that are not there.
    case missing

    var isText: Bool { self == .id || self == .source }

    /// How the fact is read from blocks of a schema; nil where the kind does not have it.
    func texts(in schema: Schema) -> ((Block, Int) -> [[UInt8]])? {
        func column(_ name: String) -> Int? { schema.columns.firstIndex { $0.name == name } }
        switch self {
        case .id:
            if let id = column("id") { return { [$0.text(id, $1)] } }
            return column("ids").map { ids in { $0.texts(ids, $1) } }
        case .source:
            if let source = column("source") { return { [$0.name(source, $1)] } }
            return column("sources").map { sources in { $0.names(sources, $1) } }
        default: return nil
        }
    }

    /// As `texts`, for numbers.
    func number(in schema: Schema) -> ((Block, Int) -> Double)? {
        func column(_ name: String) -> Int? { schema.columns.firstIndex { $0.name == name } }
        switch self {
        case .id, .source: return nil
        case .originInput: return column("origin_input").map { input in { Double($0.number(input, $1, as: UInt32.self)) } }
        case .originLine: return column("origin_line").map { line in { Double($0.number(line, $1, as: UInt64.self)) } }
        case .length: return RecordFact.length(schema, column)
        case .responses:
            if let cuts = column("response_cuts") { return { block, record in Double(block.range(cuts, record).reduce(0) { $0 + block.innerRange(cuts, $1).count }) } }
            return (column("responses") ?? column("log_probs")).map { responses in { Double($0.range(responses, $1).count) } }
        case .dimensions:
            return column("dimensions").map { dimensions in { Double(RecordFact.matrices($0, $1, dimensions).map(\.rows).max() ?? 0) } }
        case .ties:
            return column("dimensions").map { dimensions in { Double(RecordFact.matrices($0, $1, dimensions).reduce(0) { $0 + $1.ties }) } }
        case .missing:
            return column("dimensions").map { dimensions in { Double(RecordFact.matrices($0, $1, dimensions).reduce(0) { $0 + $1.ratings.count(where: \.isNaN) }) } }
        }
    }

    private static func length(_ schema: Schema, _ column: (String) -> Int?) -> ((Block, Int) -> Double)? {
        func longest(_ block: Block, _ record: Int, _ column: Int) -> Int { block.range(column, record).map { block.innerRange(column, $0).count }.max() ?? 0 }
        if let tokens = column("tokens") { return { Double($0.range(tokens, $1).count) } }
        if let counts = column("token_counts") { return { Double($0.list(counts, $1, as: UInt32.self).max() ?? 0) } }
        guard let responses = column("responses") else { return nil }
        if let prompts = column("prompts") {
            return { block, record in
                let own = block.range(prompts, record), answers = block.range(responses, record)
                guard own.count == answers.count else { return Double(longest(block, record, prompts) + longest(block, record, responses)) }
                return Double(zip(own, answers).map { block.innerRange(prompts, $0).count + block.innerRange(responses, $1).count }.max() ?? 0)
            }
        }
        return column("contents").map { contents in
            { block, record in Double(block.range(contents, record).reduce(0) { $0 + block.innerRange(contents, $1).count } + longest(block, record, responses)) }
        }
    }

    /// The ratings of a record, m x N, or of each record of a bin; they stand in the column after `dimensions`.
    private static func matrices(_ block: Block, _ record: Int, _ dimensions: Int) -> [Matrix] {
        let ratings = block.values(dimensions + 1, as: Double.self), own = block.range(dimensions, record)
        guard block.schema.columns[dimensions].depth == 2 else { return [Matrix(rows: own.count, ratings: ratings[block.range(dimensions + 1, record)])] }
        return zip(own, block.range(dimensions + 1, record)).map { names, values in
            Matrix(rows: block.innerRange(dimensions, names).count, ratings: ratings[block.innerRange(dimensions + 1, values)])
        }
    }

    private struct Matrix {
        var rows: Int
        var ratings: Slice<UnsafeBufferPointer<Double>>

        var ties: Int {
            guard rows > 0 else { return 0 }
            let width = ratings.count / rows
            return (0 ..< rows).count { row in
                let given = ratings.dropFirst(row * width).prefix(width).filter { !$0.isNaN }
                return Set(given).count < given.count
            }
        }
    }
}
