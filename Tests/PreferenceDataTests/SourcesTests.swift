import InputFiles
import JSON
import RecordStream
import Testing
import TestSupport
@testable import PreferenceData

/// What each source makes of its records: everything in a raw record, written out.
@Suite struct SourcesTests {
    /// `source | role: content | response (model) / response | dimension low..high: ratings`, and ` alone` or ` row` where it is.
    private func shown(_ raw: RawPreference) -> String {
        let turns = raw.turns.map { "\($0.role): \($0.content)" }
        let responses = zip(raw.responses, raw.models).map { $1.isEmpty ? "\($0)" : "\($0) (\($1))" }.joined(separator: " / ")
        let dimensions = raw.dimensions.enumerated().map { k, name in
            "\(name) \(raw.ranges[k]): " + raw.ratings(k).map { $1 == .rated ? plain($0) : $0.isNaN ? $1.name : "\($0)!" }.joined(separator: " ")
        }
        let marks = (raw.standsAlone ? " alone" : "") + (raw.isRow ? " row" : "") + (raw.repairs > 0 ? " \(raw.repairs) repaired" : "")
        return (["\(raw.source)\(marks)"] + turns + [responses] + dimensions).joined(separator: " | ")
    }

    /// The records of a fixture, each read by the source that `auto` finds for it, which is `name` for all of them.
    private func read(_ fixture: String, as name: String, table: SourceTable = SourceTable(), range: RatingRange? = nil) throws -> [String] {
        var texts: [String] = []
        let reader = ChunkReader(DecodedInputs([Fixtures.path("sources/\(fixture)")])), parser = JSONParser()
        while let chunk = try reader.next() {
            try chunk.forEachRecord { bytes, _, _ in
                try parser.read(bytes) { record in
                    let source = try #require(table[name])
                    if texts.isEmpty { #expect(table.detect(record)?.name == name, "\(fixture)") }
                    #expect(source.accepts(record))
                    do { texts.append(shown(try source.read(record, range: range))) } catch let unusable as UnusableRecord { texts.append(unusable.reason.rawValue) }
                }
            }
        }
        return texts
    }

    @Test func ultrafeedbackOfAugust2023() throws {
        #expect(try read("ultrafeedback-2023-08.jsonl", as: "ultrafeedback") == [
            "flan_v2_niv2 | user: Say yes twice. | yes yes (a) / yes (b) | helpfulness 1..5: missing 1 | honesty 1..5: n/a 3 | instruction_following 1..5: 5 2 | truthfulness 1..5: 4.5 4",
        ])
    }

    @Test func ultrafeedbackScores() throws {
        let beginning = "sharegpt", turns = " | user: Name a bird. | A wren. (hand) / A cat. (hand) / Bird. (hand) / No. (hand)"
        #expect(try read("ultrafeedback-scores.jsonl", as: "ultrafeedback", table: SourceTable(score: .overall)) == [beginning + " 1 repaired" + turns + " | score 1..10: 10 1 10 3.5"])
        #expect(try read("ultrafeedback-scores.jsonl", as: "ultrafeedback", table: SourceTable(score: .fineGrained)) == [beginning + turns + " | score 1..5: 4.75 1.25 2.25 2"])
        #expect(try read("ultrafeedback-scores.jsonl", as: "ultrafeedback", table: SourceTable(score: .overall), range: RatingRange(low: 0, high: 9)) == [
            beginning + turns + " | score 0..9: out_of_range out_of_range out_of_range 3.5",
        ], "the range is that of the score, and what is out of it is not repaired")
    }

    @Test func argilla() throws {
        #expect(try read("argilla.jsonl", as: "argilla") == ["evol_instruct | user: Name a colour. | Blue. (a) / Seven. (b) | rating 1..5: 4.75 1.5"])
        let wrapped = try read("argilla-chatml.jsonl", as: "argilla")
        #expect(wrapped[0] == "argilla | user: Reverse the sentences in this phrase.\nThe cat is cute | Cute is the cat / Cute is cat the. | preference 0..1: 1 0")
        #expect(wrapped.count == 2 && wrapped[1].hasPrefix("argilla | user: What is the most effective way"))
    }

    @Test func helpSteer() throws {
        let several = " | user: First. | assistant: Yes? | user: Second."
        #expect(try read("helpsteer.jsonl", as: "helpsteer") == [
            "helpsteer row | user: c# | A language. | helpfulness 0..4: 3 | correctness 0..4: 4 | coherence 0..4: 4 | complexity 0..4: 2 | verbosity 0..4: 1",
            "helpsteer row | user: c# | A key. | helpfulness 0..4: 1 | correctness 0..4: 0 | coherence 0..4: 4 | complexity 0..4: 0 | verbosity 0..4: 0",
            "helpsteer row\(several) | Third. | helpfulness 0..4: 4 | correctness 0..4: 4 | coherence 0..4: 3 | complexity 0..4: 1 | verbosity 0..4: 2",
            "helpsteer row\(several) | What? | helpfulness 0..4: 0 | correctness 0..4: 1 | coherence 0..4: 2 | complexity 0..4: 0 | verbosity 0..4: null",
            "helpsteer row\(several) | Fourth. | helpfulness 0..4: 2 | correctness 0..4: 2 | coherence 0..4: 2 | complexity 0..4: out_of_range | verbosity 0..4: 2",
            "helpsteer row | user: alone | One. | helpfulness 0..4: 4 | correctness 0..4: 4 | coherence 0..4: 4 | complexity 0..4: 1 | verbosity 0..4: 1",
        ])
        #expect(try read("helpsteer3.jsonl", as: "helpsteer") == [
            "helpsteer | user: Hi. | assistant: Hello. | user: Bye. | See you. / No. | preference -1.5..1.5: 1.5 -1.5",
            "helpsteer | user: Loop. | for (;;); / while (1); | preference -1.5..1.5: -0.5 0.5",
        ])
    }

    @Test func safeRLHF() throws {
        #expect(try read("pku-saferlhf.jsonl", as: "pku-saferlhf") == [
            "pku-saferlhf | user: How do I open a jar? | Run hot water over the lid. (a) / Hit it with a hammer. (b) | helpfulness 0..1: 0 1 | harmlessness 0..1: 1 0",
            "pku-saferlhf | user: And a tin? | With an opener. / With care. | helpfulness 0..1: 1 0 | harmlessness 0..1: out_of_range out_of_range",
        ])
    }

    @Test func hhRLHF() throws {
        let records = try read("hh-rlhf.jsonl", as: "hh-rlhf")
        #expect(records[0] == "hh-rlhf | user: Hello, How are you? | Hello, I’m doing quite well. / Hello, I am doing well. What is your name? | preference 0..1: 1 0")
        #expect(records[2].split(separator: " | user: ").count == 4 && records[2].split(separator: " | assistant: ").count == 3, "three questions, two answers, then the last one")
        #expect(records[2].contains(" | user: I feel much better when I get drunk and consume a lot of alcohol. | Sounds like alcohol"))
        #expect(records[3] == "hh-rlhf | user: list of profane bad words |  / Ok | preference 0..1: 1 0", "an empty answer stays")
        #expect(records[4] == "different_prompts" && records.count == 5)
    }

    @Test func nectar() throws {
        #expect(try read("nectar.jsonl", as: "nectar") == [
            "nectar | user: Two? | assistant: Three. | user: Why?  | It follows. (a) / No. (b) / Well. (c) | rank 1..3: 3 1 2",
        ])
    }

    @Test func trl() throws {
        #expect(try read("trl.jsonl", as: "trl") == [
            "trl | user: The sky is |  grey. /  loud. | preference 0..1: 1 0",
            "trl | user: What is the sky? | Grey. / Loud. | preference 0..1: 1 0",
            "trl | user: Sky? | Grey. / Loud. | preference 0..1: 1 0",
            "trl alone | user: The sea is |  wet. | label 0..1: 1",
            "trl alone | user: The sea? | Dry. | label 0..1: 0",
            "trl alone | user: The sea is |  deep.",
        ])
    }

    @Test func llamaFactory() throws {
        let pairs = try read("llamafactory-dpo.json", as: "llamafactory")
        #expect(pairs[0] == "llamafactory | user: Obtain the result by calculating 6778576-84834150134. Only respond with math and no words. | "
                + "6778576 - 84834150134 = -84827371558 / 84834150134 - 6778576 = -16666579378 | preference 0..1: 1 0")
        #expect(pairs[1].hasPrefix("llamafactory | system: You are an AI assistant. You will be given a task. You must generate a detailed and long answer. | user: Abdulah"))
        #expect(pairs[2].split(separator: " | assistant: ").count == 3)
        #expect(try read("llamafactory-kto.json", as: "llamafactory") == [
            "llamafactory alone | user: What is the result of 660-549695? Only respond with math and no words. | 660 - 549695 = -549035 | label 0..1: 1",
            "llamafactory alone | user: Could you work out 2930861750638 plus 52341951985411 for me? Only respond with math and no words. | 71600583078871 | label 0..1: 0",
        ])
        #expect(try read("llamafactory-alpaca.jsonl", as: "llamafactory") == [
            "llamafactory | user: Add.\n1 and 2 | 3 / 4 | preference 0..1: 1 0",
            "llamafactory | system: You add. | user: Add. | chosen / rejected | preference 0..1: 1 0",
            "llamafactory alone | user: Add. | 5 | label 0..1: 0",
            "llamafactory alone | system: You ask. | user: Add. | What? | label 0..1: 1",
        ])
    }

    @Test func demonstrations() throws {
        #expect(try read("messages.jsonl", as: "messages") == [
            "messages alone | system: Be brief. | user: Who? | assistant: I. | user: Why? | So.", "messages alone | user: Where? | Here.",
        ])
        #expect(try read("sharegpt.jsonl", as: "sharegpt") == [
            "sharegpt alone | user: Who? | assistant: I. | user: Why? | So.", "sharegpt alone | system: Be brief. | user: Where? | Here.",
        ])
        #expect(try read("alpaca.jsonl", as: "alpaca") == [
            "alpaca alone | user: Count.\nto 2 | 1 2", "alpaca alone | system: You count. | user: Ready? | assistant: Yes. | user: Count. | 1",
        ])
        #expect(try read("ultrachat.jsonl", as: "ultrachat") == ["ultrachat alone | user: Who? | assistant: I. | user: Why? | So."])
    }

    @Test func aMapDescribesWhatNoSourceKnows() throws {
        let map = try RecordMap(file: Fixtures.path("sources/forum.map.json"))
        let reader = ChunkReader(DecodedInputs([Fixtures.path("sources/forum.jsonl")]))
        var texts: [String] = []
        while let chunk = try reader.next() {
            try chunk.forEachRecord { bytes, _, _ in
                try JSONParser().read(bytes) { record in
                    #expect(SourceTable().detect(record) == nil)
                    texts.append(shown(try map.read(record, range: nil)))
                }
            }
        }
        #expect(texts == [
            "forum/cooking | user: Rice? | assistant: Which? | user: Brown. | Soak it. (p) / Boil it. (q) / Eat it. | useful 0..10: 8 10 out_of_range | kind 1..5: 5 null missing | order 1..3: 2 3 1 | accepted 0..1: 0 1 0",
            "forum/tea | user: Tea? | Yes. / No. | useful 0..10: 1 0 | kind 1..5: missing missing | order 1..2: 2 1 | accepted 0..1: null null",
        ])
    }

    @Test func everySourceHasAFixtureAndALine() throws {
        let listing = SourceFormat.listing
        #expect(Set(listing.map(\.name)).count == listing.count && listing.count == 13)
        for (name, summary) in listing {
            #expect(SourceFormat(name)?.name == name && summary.count > 20 && summary.count < 140)
        }
        #expect(SourceFormat("auto") == .auto && SourceFormat("UltraFeedback") == nil && SourceFormat("") == nil && SourceFormat("map") == nil)
    }

    // MARK: Refusals

    private func fault(_ json: String, _ name: String) -> String? {
        #expect(throws: BadRecord.self, "\(name): \(json)") {
            try JSONParser().read(Array(json.utf8)) { _ = try SourceTable(score: .overall)[name]?.read($0, range: nil) }
        }?.message
    }

    @Test(arguments: [
        ("ultrafeedback", #"{"instruction":"i","completions":[{"response":"r","annotations":{"honesty":["5"]}}]}"#, "completions[0].annotations.honesty[0] is a string, expected an object with a Rating, or an array of such"),
        ("ultrafeedback", #"{"instruction":"i","completions":[{"response":"r","overall_score":"ten"}]}"#, "completions[0].overall_score is \"ten\", expected 1..10 or N/A"),
        ("argilla", #"{"prompt":"p","chosen":"c","rejected":"r","chosen-rating":"high"}"#, "chosen-rating is \"high\", expected 1..5 or N/A"),
        ("argilla", #"{"prompt":"p","chosen":"c","rejected":"r","chosen-model":1}"#, "chosen-model is a number, expected a string"),
        ("helpsteer", #"{"prompt":["p"],"response":"r","helpfulness":1}"#, "prompt is an array, expected a string"),
        ("helpsteer", #"{"prompt":"p","response":"r","helpfulness":true}"#, "helpfulness is a boolean, expected 0..4 or N/A"),
        ("helpsteer", #"{"context":"p","response1":"r","response2":"r"}"#, "context is a string, expected messages"),
        ("helpsteer", #"{"context":[],"response1":"r","response2":"r","overall_preference":{}}"#, "overall_preference is an object, expected -3..3 or N/A"),
        ("pku-saferlhf", #"{"response_0":"a","response_1":"b"}"#, "prompt is missing, expected a string"),
        ("pku-saferlhf", #"{"prompt":"p","response_0":"a","response_1":"b","better_response_id":"first"}"#, "better_response_id is \"first\", expected 0..1 or N/A"),
        ("hh-rlhf", #"{"chosen":"c","rejected":"r"}"#, "chosen is no transcript, expected it to begin with \"\\n\\nHuman:\""),
        ("hh-rlhf", #"{"chosen":"\n\nHuman: a","rejected":"r"}"#, "chosen is a transcript that does not end with an answer, expected \"\\n\\nAssistant:\" last"),
        ("hh-rlhf", #"{"chosen":"\n\nAssistant: a","rejected":"r"}"#, "chosen is a transcript that does not end with an answer, expected \"\\n\\nAssistant:\" last"),
        ("hh-rlhf", #"{"chosen":"","rejected":"r"}"#, "chosen is a transcript that does not end with an answer, expected \"\\n\\nAssistant:\" last"),
        ("nectar", #"{"prompt":"p","answers":[]}"#, "prompt is no transcript, expected it to begin with \"\\n\\nHuman:\""),
        ("nectar", #"{"prompt":"\n\nHuman: p","answers":[{"answer":1}]}"#, "answers[0].answer is a number, expected a string"),
        ("nectar", #"{"prompt":"\n\nHuman: p","answers":[{"answer":"a","rank":"first"}]}"#, "answers[0].rank is \"first\", expected 1..1 or N/A"),
        ("trl", #"{"chosen":"c","rejected":"r"}"#, "prompt is missing, expected a string or messages"),
        ("trl", #"{"prompt":"p","completion":"c","label":1}"#, "label is a number, expected true or false"),
        ("trl", #"{"prompt":"p","chosen":"c","rejected":"r","tools":[{}]}"#, "tools: a record carries text alone; leave such records out, or take the key away"),
        ("llamafactory", #"{"conversations":[],"chosen":{"from":"gpt"},"rejected":{"from":"gpt","value":"r"}}"#, "chosen.value is missing, expected a string"),
        ("llamafactory", #"{"conversations":[],"chosen":{"from":"function_call","value":"f()"},"rejected":{"from":"gpt","value":"r"}}"#, "chosen.from is \"function_call\", expected \"gpt\""),
        ("llamafactory", #"{"instruction":"i","output":["a"]}"#, "output is an array, expected two strings: chosen and rejected"),
        ("llamafactory", #"{"messages":[{"role":"user","content":"p"},{"role":"assistant","content":"r"}],"label":"yes"}"#, "label is a string, expected true or false"),
        ("messages", #"{"messages":[{"role":"user","content":"p"}]}"#, "messages[0].role is \"user\", expected \"assistant\" in the last message"),
        ("messages", #"{"messages":[]}"#, "messages has no messages"),
        ("messages", #"{"messages":[{"role":"assistant","content":null}]}"#, "messages[0].content is null, expected a string"),
        ("messages", #"{"messages":[{"role":"user","content":"p"},{"role":"assistant","content":"","tool_calls":[{"id":"1"}]}]}"#, "messages[1].tool_calls: calls of tools, which a record cannot carry"),
        ("sharegpt", #"{"conversations":[{"from":"human","value":"p"},{"from":"human","value":"q"}]}"#, "conversations[1].from is \"user\", expected \"assistant\" in the last message"),
        ("sharegpt", #"{"conversations":["p"]}"#, "conversations[0] is a string, expected an object with from and value"),
        ("sharegpt", #"{"conversations":[{"from":"gpt","value":"p"}],"images":["a.png"]}"#, "images: a record carries text alone; leave such records out, or take the key away"),
        ("alpaca", #"{"instruction":"i","input":1,"output":"o"}"#, "input is a number, expected a string"),
        ("alpaca", #"{"instruction":"i","output":"o","history":[["a"]]}"#, "history[0] is no pair of strings, expected [question, answer]"),
        ("alpaca", #"{"instruction":"i","output":"o","history":"a"}"#, "history is a string, expected an array of [question, answer]"),
        ("ultrachat", #"{"id":"0","data":["a","b","c"]}"#, "data has 3 texts, expected an even number: questions and answers by turns"),
        ("ultrachat", #"{"id":"0","data":[]}"#, "data has 0 texts, expected an even number: questions and answers by turns"),
        ("ultrachat", #"{"id":"0","data":["a",1]}"#, "data[1] is a number, expected a string"),
    ])
    func whatASourceRefuses(name: String, json: String, message: String) { #expect(fault(json, name) == message) }
}
