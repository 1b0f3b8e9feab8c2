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
    /// The largest difference between two responses' mean ratings, each the mean over the dimensions that rate the response; 0 where fewer than two are rated.
    /// Of a bin: the largest of its records.
    case gap

    var isText: Bool { self == .id || self == .source }

    /// The fact of a record, by its number in the block.
    typealias Reading<Value> = @Sendable (Block, Int) -> Value

    /// How the fact is read from blocks of a schema; nil where the kind does not have it.
    func texts(in schema: Schema) -> Reading<[[UInt8]]>? {
        switch self {
        case .id: schema.reading("id") { [$0.text($2, $1)] } ?? schema.reading("ids") { $0.texts($2, $1) }
        case .source: schema.reading("source") { [$0.name($2, $1)] } ?? schema.reading("sources") { $0.names($2, $1) }
        default: nil
        }
    }

    /// As `texts`, for numbers.
    func number(in schema: Schema) -> Reading<Double>? {
        func matrices(_ fact: @escaping @Sendable ([Matrix]) -> Double) -> Reading<Double>? {
            schema.reading("dimensions") { fact(RecordFact.matrices($0, $1, $2)) }
        }
        switch self {
        case .id, .source: return nil
        case .originInput: return schema.reading("origin_input") { Double($0.number($2, $1, as: UInt32.self)) }
        case .originLine: return schema.reading("origin_line") { Double($0.number($2, $1, as: UInt64.self)) }
        case .length: return RecordFact.length(schema)
        case .responses:
            return schema.reading("response_cuts") { block, record, cuts in
                Double(block.range(cuts, record).reduce(0) { $0 + block.innerRange(cuts, $1).count })
            }
            ?? schema.reading("responses") { Double($0.range($2, $1).count) } ?? schema.reading("log_probs") { Double($0.range($2, $1).count) }
        case .dimensions: return matrices { Double($0.map(\.rows).max() ?? 0) }
        case .ties: return matrices { Double($0.reduce(0) { $0 + $1.ties }) }
        case .missing: return matrices { Double($0.reduce(0) { $0 + $1.ratings.count(where: \.isNaN) }) }
        case .gap: return matrices { $0.map(\.gap).max() ?? 0 }
        }
    }

    private static func length(_ schema: Schema) -> Reading<Double>? {
        @Sendable func sizes(_ block: Block, _ record: Int, _ column: Int) -> [Int] { block.range(column, record).map { block.innerRange(column, $0).count } }
        if let tokens = schema.reading("tokens", { Double($0.range($2, $1).count) }) { return tokens }
        if let counts = schema.reading("token_counts", { Double($0.list($2, $1, as: UInt32.self).max() ?? 0) }) { return counts }
        guard let responses = schema.reading("responses", sizes) else { return nil }
        // A prompt of each response's own, or one for all.
        if let prompts = schema.reading("prompts", sizes) {
            return { block, record in
                let prompts = prompts(block, record), responses = responses(block, record)
                guard prompts.count == responses.count else { return Double((prompts.max() ?? 0) + (responses.max() ?? 0)) }
                return Double(zip(prompts, responses).map { $0 + $1 }.max() ?? 0)
            }
        }
        return schema.reading("contents") { Double(sizes($0, $1, $2).reduce(0, +) + (responses($0, $1).max() ?? 0)) }
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

        var gap: Double {
            guard rows > 0 else { return 0 }
            let width = ratings.count / rows
            let means = (0 ..< width).map { response in
                stride(from: ratings.startIndex + response, to: ratings.endIndex, by: width).reduce(into: Mean()) { $0.add(ratings[$1]) }
            }.filter { $0.count > 0 }
            guard let least = means.min(by: { $0.value < $1.value }), let most = means.max(by: { $0.value < $1.value }) else { return 0 }
            return most.difference(from: least)
        }
    }
}

private extension Schema {
    /// How a fact is read from a column, which `read` is given last; nil where there is none of that name.
    func reading<Value>(_ name: String, _ read: @escaping @Sendable (Block, Int, Int) -> Value) -> RecordFact.Reading<Value>? {
        guard let column = columns.firstIndex(where: { $0.name == name }) else { return nil }
        return { read($0, $1, column) }
    }
}

/// The mean of the ratings that are there.
private struct Mean {
    var sum = 0.0, count = 0.0

    var value: Double { sum / count }

    mutating func add(_ rating: Double) {
        guard !rating.isNaN else { return }
        sum += rating
        count += 1
    }

    /// Over the common denominator, so that whole ratings give a difference that is rounded once: 13/3 - 10/3 is 1.
    func difference(from other: Mean) -> Double { (sum * other.count - other.sum * count) / (count * other.count) }
}
