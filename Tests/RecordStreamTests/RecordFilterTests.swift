import JSON
import SystemIO
import Testing

@testable import RecordStream

@Suite struct RecordFilterTests {
    private func block<Record: StreamRecord>(_ records: [Record]) throws -> Block {
        try #require(try RecordStreamReader(MemorySource(Sample.stream(records))).nextBlock())
    }

    private func matching(_ condition: String, _ block: Block) throws -> [Int] {
        let filter = try RecordFilter(condition, schema: block.schema)
        return try (0 ..< block.count).filter { try filter.matches(block, $0) }
    }

    @Test func ratedFacts() throws {
        var records = Sample.rated
        records[2].ratings.ratings = [4, 4, .nan, .nan]
        records[2].origin = Origin(input: 2, line: 77)
        let block = try block(records)
        // Record 1 has no dimensions. Two turns of 0 and 6 bytes, responses of 5 and 0.
        for (condition, expected) in [
            ("source = made-up", [0, 1]), ("source != made-up", [2]), ("source == 'other' or id = \"id-0\"", [0, 2]), ("not source=other", [0, 1]), ("ties > 0", [2]), ("ties=0", [0, 1]),
            ("missing >= 1", [0, 2]), ("missing = 2", [2]), ("missing<1", [1]), ("length = 11", [0, 1, 2]), ("length < 11", []), ("responses != 2", []), ("dimensions = 0", [1]),
            ("origin_line > 2 and origin_input >= 2", [2]), ("origin_line<=2.5", [0, 1]), ("not (ties > 0 or missing > 0)", [1]), ("ties > 0 or missing > 0 and source = made-up", [0, 2]),
            ("(ties > 0 or missing > 0) and source = made-up", [0]), ("not not ties > 0", [2]), ("source = and", []),
        ] { #expect(try matching(condition, block) == expected, "\(condition)") }
    }

    /// The mean of what is rated, and a difference that is not off by a rounding: thirds too.
    @Test func gapIsTheDifferenceOfTheMeans() throws {
        func gap(_ ratings: [Double], _ responses: Int) -> RatedRecord {
            var record = Sample.rated[0]
            let rows = ratings.count / responses
            record.responses = (0 ..< responses).map { Text("r\($0)") }
            record.models = record.responses
            record.ratings = Ratings(
                dimensions: (0 ..< rows).map { Text("d\($0)") }, ratings: ratings, rated: ratings.map { _ in 0 }, targets: ratings.map { _ in 0 })
            record.ratingStates = ratings.map { $0.isNaN ? 1 : 0 }
            return record
        }
        let cases: [(RatedRecord, Double)] = [
            (gap([5, 4, 4, 3, 4, 3], 2), 1), (gap([4, 5, 3, 4, 3, 4], 2), 1), (gap([1, 2, 5, 2], 4), 4), (gap([.nan, 5, 2, 3], 2), 2), (gap([.nan, 5], 2), 0), (gap([.nan, .nan], 2), 0),
            (gap([4], 1), 0), (gap([], 2), 0), (gap([1, 1, 4, 3, 2, 2, 2, 4], 4), 2), (gap([0.5, 0.25], 2), 0.25),
        ]
        let block = try block(cases.map(\.0)), probe = RecordProbe<RatedRecord>()
        for (number, (record, expected)) in cases.enumerated() {
            #expect(try matching("gap = \(expected)", block).contains(number), "\(number)")
            #expect(try matching("gap > \(expected) or gap < \(expected)", block).contains(number) == false, "\(number)")
            // A record that stands in no stream yet is asked the same.
            let conditions = try ["responses >= 1", "gap >= \(expected)", "gap > \(expected)", "gap < 0"].map { try RecordFilter($0, schema: RatedRecord.schema) }
            #expect(try probe.firstUnmet(conditions, by: record) == 2 && probe.firstUnmet(Array(conditions[..<2]), by: record) == nil, "\(number)")
        }
        #expect(try matching("gap = 1.5", self.block(Sample.packed)) == [] && matching("gap = 1", self.block(Sample.tokens)) == [])
        // 4 and 5 against 2: the second response has one rating.
        #expect(try matching("gap = 2.5", self.block(Sample.tokens)) == [0, 1, 2] && matching("gap = 2.5", self.block(Sample.packed)) == [0, 1])
    }

    /// Columns of the names that facts have, with other contents, are not asked: a number of one size is not read as one of another.
    @Test func columnsOfSomebodyElse() throws {
        for column in RatedRecord.schema.columns.indices {
            var schema = RatedRecord.schema
            schema.columns[column].type = schema.columns[column].type == .u8 ? .u32 : .u8
            schema.columns[column].meaning = .number
            for condition in ["ties = 0", "id = id-0", "length > 1"] {
                #expect(throws: InputError("--where: rated records in columns that this release does not know; nothing can be asked about them", status: .usage)) {
                    try RecordFilter(condition, schema: schema)
                }
            }
        }
    }

    @Test func factsOfOtherKinds() throws {
        let tokens = try block(Sample.tokens)
        #expect(try matching("length = 7 and responses = 2 and missing = 1 and ties = 0", tokens) == [0, 1, 2])
        let packed = try block(Sample.packed + [GoldenStreams.rows])
        #expect(try matching("length = 6", packed) == [0, 1] && matching("id = id-9", packed) == [2] && matching("source != made-up", packed) == [])
        #expect(try matching("responses = 2 and dimensions = 2 and missing = 1", packed) == [0, 1, 2])
        let scores = try block(Sample.logProbs)
        #expect(try matching("length = 3 and responses = 2 and id != id-1", scores) == [0, 2])
    }

    @Test(arguments: [
        ("", "column 1: expected not, ( or one of id, source, origin_input, origin_line, length, responses, dimensions, ties, missing, gap, found the end"),
        ("tie > 0", "column 1: expected not, ( or one of id, source, origin_input, origin_line, length, responses, dimensions, ties, missing, gap, found tie"),
        ("ties", "column 5: expected =, !=, <, <=, > or >=, found the end"), ("ties ! 3", "column 6: expected =, !=, <, <=, > or >=, found !"),
        ("ties > many", "column 8: expected a number, found many"), ("ties > '1'", "column 8: expected a number, found 1"), ("ties > nan", "column 8: expected a number, found nan"),
        ("ties > ", "column 8: expected a number, found the end"), ("source > a", "column 8: source is a text: it is compared with = or !="), ("source = ", "column 10: expected a text, found the end"),
        ("source = 'a", "column 10: the quotes are not closed"), ("ties > 0 ties < 2", "column 10: expected and, or, or the end, found ties"), ("(ties > 0", "column 10: expected and, or, or ), found the end"),
        ("ties > 0)", "column 9: expected and, or, or the end, found )"), ("ties > 0 and", "column 13: expected not, ( or one of id, source, origin_input, origin_line, length, responses, dimensions, ties, missing, gap, found the end"),
    ]) func refusals(condition: String, message: String) {
        #expect(throws: InputError("--where: \(message)", status: .usage)) { try RecordFilter(condition, schema: RatedRecord.schema) }
    }

    @Test func factsThatAKindDoesNotHave() {
        #expect(throws: InputError("--where: column 1: logps records have no ties; they have id, length, responses", status: .usage)) {
            try RecordFilter("ties > 0", schema: LogProbRecord.schema)
        }
    }
}
