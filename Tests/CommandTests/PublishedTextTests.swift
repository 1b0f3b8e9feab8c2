import JSON
import SystemIO
import TestSupport
import Testing

/// Texts of published models and their ids, both ways, by numbers made elsewhere. That the models continue with just these ids, PublishedModelTests tells.
@Suite struct PublishedTextTests {
    /// Runs uf-tokenize on one JSON value and gives back the one it answers.
    private static func tokenize(_ arguments: String, _ value: JSONValue, tokenizer: String) throws -> JSONValue {
        let text = String(decoding: try value.serialized(), as: UTF8.self)
        let outcome = Command.shell("printf '%s\\n' \(Command.quoted(text)) | uf-tokenize \(arguments) --tokenizer \(Command.quoted(tokenizer))", in: "/")
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try JSON.parse(outcome.output)
    }

    @Test func stories() throws {
        let model = Fixtures.path("models/stories260K"), expected = try JSON.parse(readWholeFile(model + "/expected.json"))
        for name in ["greedy_from_bos", "greedy_from_Zoo"] {
            let story = try #require(expected[name]), ids = try #require(story["ids"]), text = try #require(story["text"])
            #expect(try Self.tokenize("decode --skip-special", ids, tokenizer: model) == text, "\(name)")
        }
        let pairs = try #require(expected["encode"]?.array)
        #expect(pairs.count == 8)
        for pair in pairs {
            let text = try #require(pair["text"]), ids = try #require(pair["ids"])
            #expect(try Self.tokenize("text", text, tokenizer: model) == ids, "\(text)")
        }
    }

    @Test(.enabled(if: SharedFolder.has("models/smollm2-135m-instruct/expected.json"), "needs ../shared/models/smollm2-135m-instruct/expected.json"))
    func smolLM2() throws {
        let folder = TemporaryFolder(), tokenizer = folder.file("tokenizer.json")
        #expect(Command.shell("zcat \(Fixtures.path("tokenizers/smollm2/tokenizer.json.gz")) > tokenizer.json", in: folder.path).status == 0)
        let expected = try JSON.parse(readWholeFile(#require(SharedFolder.path("models/smollm2-135m-instruct/expected.json"))))
        let prompt = try #require(expected["prompt_text"]), promptIDs = try #require(expected["prompt_ids"])
        #expect(try Self.tokenize("text --special", prompt, tokenizer: tokenizer) == promptIDs)
        #expect(try Self.tokenize("decode", promptIDs, tokenizer: tokenizer) == prompt)
        #expect(try Self.tokenize("decode", try #require(expected["greedy_ids"]), tokenizer: tokenizer) == (try #require(expected["greedy_text"])))
    }
}
