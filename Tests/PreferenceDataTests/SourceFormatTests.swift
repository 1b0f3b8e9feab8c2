import Checksums
import InputFiles
import JSON
import RecordStream
import Testing
@testable import PreferenceData

@Suite struct SourceFormatTests {
    private func read(_ json: String, _ name: String? = nil, range: RatingRange? = nil) throws -> RawPreference {
        try JSONParser().read(Array(json.utf8)) { record in
            let source = name.map { SourceTable()[$0] } ?? SourceTable().detect(record)
            return try #require(source, "\(json)").read(record, range: range)
        }
    }

    private func fault(_ json: String, _ name: String? = nil) -> String? {
        #expect(throws: BadRecord.self, "\(json)") { _ = try read(json, name) }?.message
    }

    private func rating(_ json: String) throws -> (Double, RatingState) {
        let record = try read(#"{"instruction":"i","completions":[{"response":"r","annotations":{"d":{"Rating":\#(json)}}}]}"#)
        return (record.values[0], record.states[0])
    }

    @Test(arguments: [
        (#""4""#, 4.0), ("4", 4), ("4.5", 4.5), (#"" 3 ""#, 3), (#""4.333333333333333""#, 4.333333333333333), (#""1e0""#, 1), ("5", 5), (#""1""#, 1), (#""+2""#, 2),
    ])
    func ratingsAreStringsOrNumbers(json: String, value: Double) throws {
        let (read, state) = try rating(json)
        #expect(read == value && state == .rated, "\(json)")
    }

    @Test(arguments: [
        ("null", RatingState.null), (#""N/A""#, .notApplicable), (#""n/a""#, .notApplicable), (#""NA""#, .notApplicable), (#""""#, .missing), (#""  ""#, .missing),
        ("0", .outOfRange), (#""6""#, .outOfRange), (#""5.01""#, .outOfRange), ("-1", .outOfRange), (#""10""#, .outOfRange), ("18446744073709551615", .outOfRange),
    ])
    func ratingsThatAreNotThere(json: String, state: RatingState) throws {
        let (value, read) = try rating(json)
        #expect(value.isNaN && read == state, "\(json)")
    }

    @Test(arguments: [#""six""#, #""nan""#, #""inf""#, #""0x4""#, #""4 of 5""#, #""4/5""#, "true", "[4]", "{}", #""4\n3""#])
    func ratingsThatAreNoNumbers(json: String) {
        let error = #expect(throws: BadRecord.self, "\(json)") { try rating(json) }
        #expect(error?.reason == .unreadableRating)
        #expect(error?.message.hasPrefix("completions[0].annotations.d.Rating is ") == true)
        #expect(error?.message.hasSuffix(", expected 1..5 or N/A") == true)
    }

    @Test func systemPromptsOfCompletions() throws {
        func read(_ completions: String, _ systems: SystemPrompts) throws -> RawPreference {
            try JSONParser().read(Array(#"{"instruction":"i","completions":[\#(completions)]}"#.utf8)) { try UltraFeedback(systems: systems).read($0, range: nil) }
        }
        let completions = #"{"response":"a","custom_system_prompt":"Be kind."},{"response":"b","custom_system_prompt":null},{"response":"c"}"#
        let kept = try read(completions, .completion), left = try read(completions, .none)
        #expect(kept.responseSystems == ["Be kind.", "", ""] && left.responseSystems.isEmpty)
        var digests = MessageDigests()
        let place = RecordPlace(input: 1, name: "", unit: .line, number: 1, offset: 0)
        let identities = [kept, left].map { RowGroup(record: $0, place: place) }.withUnsafeBufferPointer { RecordIdentity.identities(of: $0, with: &digests) }
        #expect(identities[0].idText != identities[1].idText && identities[0].promptHash == identities[1].promptHash)
        #expect(try read(#"{"response":"a","custom_system_prompt":""},{"response":"b"}"#, .completion).responseSystems.isEmpty)
        let fault = #expect(throws: BadRecord.self) { try read(#"{"response":"a","custom_system_prompt":1}"#, .completion) }
        #expect(fault?.message == "completions[0].custom_system_prompt is a number, expected a string")
        #expect(try read(#"{"response":"a","custom_system_prompt":1}"#, .none).responses == ["a"])
    }

    @Test func dimensionsOfThePaperComeFirstAndInItsOrder() throws {
        let record = try read(#"""
            {"source":"s","instruction":"i","completions":[
              {"model":"a","response":"r","annotations":{"style":{"Rating":"1"},"truthfulness":{"Rating":"2"},"honesty":{"Rating":"3"}}},
              {"response":"q","annotations":{"zeal":{"Rating":"4"},"helpfulness":{"Rating":"5"},"honesty":null}},
              {"model":null,"response":"p"}]}
            """#)
        #expect(record.dimensions == ["helpfulness", "honesty", "truthfulness", "style", "zeal"])
        #expect(record.states == [.missing, .rated, .missing, .rated, .null, .missing, .rated, .missing, .missing, .rated, .missing, .missing, .missing, .rated, .missing])
        #expect(record.models == ["a", "", ""])
        #expect(record.source == "s" as Text)
        #expect(record.turns == [Turn(role: "user", content: "i")])
    }

    /// Some of the paper's four, and no other: what stands in no completion is missing in all.
    @Test func aDimensionThatNoCompletionHasIsMissing() throws {
        func dimensions(_ annotations: String...) throws -> RawPreference {
            try read(#"{"instruction":"i","completions":[\#(annotations.map { #"{"response":"r","annotations":\#($0)}"# }.joined(separator: ","))]}"#)
        }
        let lacking = try dimensions(#"{"helpfulness":{"Rating":"1"},"truthfulness":{"Rating":"2"}}"#, #"{"instruction_following":{"Rating":"3"}}"#)
        #expect(lacking.dimensions == ["helpfulness", "honesty", "instruction_following", "truthfulness"])
        #expect(lacking.states == [.rated, .missing, .missing, .missing, .missing, .rated, .rated, .missing])
        // Others' dimensions are those that they name, and of a record without any nothing is known.
        #expect(try dimensions(#"{"honesty":{"Rating":"1"},"style":{"Rating":"2"}}"#).dimensions == ["honesty", "style"])
        #expect(try dimensions("{}", "null").dimensions.isEmpty)
    }

    @Test(arguments: [
        (#"{"prompt":"p","chosen":"c","rejected":"r","metadata":{"score_chosen":9.0,"score_rejected":7}}"#),
        (#"{"prompt":"p","chosen":"c","rejected":"r","score_chosen":9,"score_rejected":"7.0"}"#),
        (#"{"prompt":"p","prompt_id":"x","chosen":[{"role":"user","content":"p"},{"role":"assistant","content":"c"}],"rejected":[{"content":"p","role":"user"},{"role":"assistant","content":"r"}],"score_chosen":9,"score_rejected":7}"#),
        (#"{"chosen":[{"role":"user","content":"p"},{"role":"assistant","content":"c"}],"rejected":[{"role":"user","content":"p"},{"role":"assistant","content":"r"}],"score_chosen":9,"score_rejected":7}"#),
        (#"{"prompt":[{"role":"user","content":"p"}],"chosen":[{"role":"assistant","content":"c"}],"rejected":[{"role":"assistant","content":"r"}],"score_chosen":9,"score_rejected":7}"#),
    ])
    func pairsComeInSeveralForms(json: String) throws {
        let record = try read(json)
        #expect(record.turns == [Turn(role: "user", content: "p")], "\(json)")
        #expect(record.responses == ["c", "r"])
        #expect(record.dimensions == ["score"])
        #expect(record.values == [9, 7])
        #expect(record.states == [.rated, .rated])
        #expect(record.source == "ultrafeedback-binarized" as Text)
    }

    @Test func pairsWithoutScoresHaveNoRatings() throws {
        let record = try read(#"{"prompt":"p","chosen":"c","rejected":"r"}"#, "ultrafeedback-binarized")
        #expect(record.states == [.missing, .missing])
        let conversations = try read(#"{"chosen":[{"role":"system","content":"s"},{"role":"user","content":"p"},{"role":"assistant","content":"c"}],"rejected":[{"role":"system","content":"s"},{"role":"user","content":"p"},{"role":"assistant","content":"r"}],"score_chosen":11,"score_rejected":null}"#)
        #expect(conversations.turns.map(\.role) == ["system", "user"])
        #expect(conversations.states == [.outOfRange, .null])
    }

    @Test func otherSchemasAreNamed() {
        #expect(fault(#"{"completions":[]}"#) == "instruction is missing, expected a string")
        #expect(fault(#"{"instruction":1,"completions":[]}"#) == "instruction is a number, expected a string")
        #expect(fault(#"{"instruction":"i","completions":{}}"#) == "completions is an object, expected an array")
        #expect(fault(#"{"instruction":"i","completions":[1]}"#) == "completions[0] is a number, expected an object")
        #expect(fault(#"{"instruction":"i","completions":[{"response":null}]}"#) == "completions[0].response is null, expected a string")
        #expect(fault(#"{"instruction":"i","completions":[{"response":"r","annotations":[]}]}"#) == "completions[0].annotations is an array, expected an object")
        #expect(fault(#"{"instruction":"i","source":1,"completions":[]}"#) == "source is a number, expected a string")
        #expect(fault(#"{"prompt":"p","chosen":"c"}"#, "ultrafeedback-binarized") == "rejected is missing, expected a string or messages")
        #expect(fault(#"{"chosen":"c","rejected":"r"}"#) == "prompt is missing, expected a string or messages")
        #expect(fault(#"{"chosen":[],"rejected":[]}"#) == "chosen has no messages")
        #expect(fault(#"{"chosen":[{"role":"user","content":"p"}],"rejected":[]}"#) == "chosen[0].role is \"user\", expected \"assistant\" in the last message")
        #expect(fault(#"{"prompt":"p","chosen":[{"role":"user"}],"rejected":[]}"#) == "chosen[0].content is missing, expected a string")
        let different = #"{"chosen":[{"role":"user","content":"p"},{"role":"assistant","content":"c"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"c"}]}"#
        #expect(#expect(throws: UnusableRecord.self) { _ = try read(different) }?.message
                == "chosen and rejected answer different prompts: their conversations differ before the last answer")
        #expect(fault(#"{"instruction":"i","completions":[]}"#, "ultrafeedback-binarized") == "chosen is missing, expected a string or messages")
    }

    @Test func rangesAreReadAndHeld() throws {
        #expect(try RatingRange("1..5") == RatingRange(low: 1, high: 5))
        #expect(try RatingRange("-0.5..10").description == "-0.5..10")
        for text in ["", "1", "1..", "..5", "5..1", "1..1", "a..b", "1...5", "nan..5"] { #expect(throws: OptionFault.self, "\(text)") { try RatingRange(text) } }
        #expect(throws: OptionFault("\"5:1\" is no range, 5 is not below 1")) { try RatingRange("5:1", separator: ":") }
        #expect(throws: OptionFault("\"5\" is no range, expected LOW..HIGH as in 1..5")) { try RatingRange("5") }
        let record = try read(#"{"instruction":"i","completions":[{"response":"r","annotations":{"d":{"Rating":"0"}}}]}"#, range: RatingRange(low: 0, high: 3))
        #expect(record.states == [.rated])
    }
}
