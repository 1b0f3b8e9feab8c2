import Testing

@testable import SystemIO

/// Messages quote data; whatever it is, they stay one line that a terminal takes for text.
@Suite struct InputErrorTests {
    @Test func controlCharactersAreReplaced() {
        #expect(InputError("a\nb\u{1B}[31m\u{7F}\u{9B}\0").message == "a?b?[31m???")
        #expect(InputError("key \"\t\"").at("raw\r.jsonl: line 1").message == "raw?.jsonl: line 1: key \"?\"")
        #expect(InputError("é 中 \u{1F600}").message == "é 中 \u{1F600}")
    }

    @Test func theMiddleOfALongMessageIsLeftOut() {
        let key = String(repeating: "é", count: 1_000_000), message = InputError("line 7: the key \"\(key)\" is unknown").at("raw.jsonl").message
        #expect(message.utf8.count <= 4096 && message.hasPrefix("raw.jsonl: line 7: the key \"éé") && message.hasSuffix("éé\" is unknown") && message.contains("é ... é"))
        let longest = String(repeating: "x", count: 4096)
        #expect(InputError(longest).message == longest)
    }
}
