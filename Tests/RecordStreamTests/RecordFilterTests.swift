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
        ("", "column 1: expected not, ( or one of id, source, origin_input, origin_line, length, responses, dimensions, ties, missing, found the end"),
        ("tie > 0", "column 1: expected not, ( or one of id, source, origin_input, origin_line, length, responses, dimensions, ties, missing, found tie"),
        ("ties", "column 5: expected =, !=, <, <=, > or >=, found the end"), ("ties ! 3", "column 6: expected =, !=, <, <=, > or >=, found !"),
        ("ties > many", "column 8: expected a number, found many"), ("ties > '1'", "column 8: expected a number, found 1"), ("ties > nan", "column 8: expected a number, found nan"),
        ("ties > ", "column 8: expected a number, found the end"), ("source > a", "column 8: source is a text: it is compared with = or !="), ("source = ", "column 10: expected a text, found the end"),
        ("source = 'a", "column 10: the quotes are not closed"), ("ties > 0 ties < 2", "column 10: expected and, or, or the end, found ties"), ("(ties > 0", "column 10: expected and, or, or ), found the end"),
        ("ties > 0)", "column 9: expected and, or, or the end, found )"), ("ties > 0 and", "column 13: expected not, ( or one of id, source, origin_input, origin_line, length, responses, dimensions, ties, missing, found the end"),
    ]) func refusals(condition: String, message: String) {
        #expect(throws: InputError("--where: \(message)", status: .usage)) { try RecordFilter(condition, schema: RatedRecord.schema) }
    }

    @Test func factsThatAKindDoesNotHave() {
        #expect(throws: InputError("--where: column 1: logps records have no ties; they have id, length, responses", status: .usage)) {
            try RecordFilter("ties > 0", schema: LogProbRecord.schema)
        }
    }
}
