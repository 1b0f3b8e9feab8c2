import SystemIO
import Testing

@testable import Tokenization

/// The bytes of single ids, which viewers show: together they are what the ids decode to.
@Suite struct TokenBytesTests {
    @Test(arguments: ["smollm2", "gpt2", "stories260K"]) func togetherTheyAreTheText(name: String) throws {
        let tokenizer = try TokenizerFiles.fixture(name)
        let text = Array("Ein  Käse\n\tkostet 3 €, 🦩!".utf8), ids = try tokenizer.encode(text)
        var bytes = try ids.flatMap { try tokenizer.bytes(of: $0) }
        // SentencePiece puts a space before a text, which decoding takes away again.
        if name == "stories260K" { #expect(bytes.removeFirst() == UInt8(ascii: " ")) }
        #expect(bytes == text && ids.count > 10)
    }

    @Test func specialTokensAreSpelled() throws {
        let tokenizer = try TokenizerFiles.fixture("stories260K")
        let ending = try #require(tokenizer.id(of: "</s>"))
        #expect(try tokenizer.bytes(of: ending) == Array("</s>".utf8))
        #expect(throws: InputError("token id 512 is not in the vocabulary of 512")) { try tokenizer.bytes(of: 512) }
    }
}
