import JSON
import Jinja
import RecordStream
import SystemIO
import TestSupport
import Testing
@testable import Tokenization

/// `--loss-on assistant`: the earlier answers of a conversation.
@Suite struct EarlierAnswerTests {
    private static let turns = [
        Turn(role: "system", content: "Be brief."), Turn(role: "user", content: "Two and two?"), Turn(role: "assistant", content: "\n four <|im_end|> "),
        Turn(role: "user", content: "And five?"), Turn(role: "assistant", content: ""), Turn(role: "user", content: "Well?"),
    ]

    private func encoder(_ template: any ChatTemplate, _ learns: LearntAnswers, _ tokenizer: Tokenizer) throws -> TemplateEncoder {
        try TemplateEncoder(tokenizer, template, learns: learns)
    }

    private func model(_ text: String, _ tokenizer: Tokenizer) throws -> ModelTemplate {
        try ModelTemplate(Template(Array(text.utf8), name: "made.jinja"), name: "made", tokenizer: tokenizer)
    }

    /// Each is, token by token, what it would be as the last answer; what stands around it is what it would be without.
    @Test(arguments: ["chatml", "qwen", "zephyr-like", "plain"]) func equalWhatTheyWouldBeAsTheLastOne(name: String) throws {
        let tokenizer = try TokenizerFiles.fixture("smollm2"), scratch = EncodingScratch()
        let template: any ChatTemplate =
            switch name {
            case "chatml": ChatMLTemplate()
            case "qwen": try model(BuiltInTemplate.qwen.source?.text ?? "", tokenizer)
            case "plain": try PlainTemplate(beginning: "<|endoftext|>", ending: "<|im_end|>")
            default: try model("{% for m in messages %}{{ '[' + m.role + '] ' + m.content + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '[assistant] ' }}{% endif %}", tokenizer)
            }
        // Nothing in a prompt of the plain template ends an earlier answer.
        guard name != "plain" else {
            #expect(throws: InputError.self) { try encoder(template, .assistant, tokenizer).encodePrompt(Self.turns, scratch: scratch) }
            return
        }
        let learning = try encoder(template, .assistant, tokenizer)
        let prompt = try learning.encodePrompt(Self.turns, scratch: scratch).prompt
        #expect(prompt.answers.count == 2)
        for (answer, turn) in zip(prompt.answers, [2, 4]) {
            let (before, rendered) = try learning.encodePrompt(Array(Self.turns[..<turn]), scratch: scratch)
            let last = try learning.encodeResponse(Self.turns[turn].content, to: rendered, scratch: scratch).ids
            #expect(Array(prompt.ids[..<Int(answer.lowerBound)]) == before.ids)
            #expect(Array(prompt.ids[Int(answer.lowerBound) ..< Int(answer.upperBound)]) == last && last.last == tokenizer.id(of: "<|im_end|>"))
        }
        let plain = try encoder(template, .last, tokenizer).encodePrompt(Self.turns, scratch: scratch).prompt
        #expect(plain.answers.isEmpty && plain.roles == prompt.roles)
        #expect(try tokenizer.decodeText(plain.ids) == tokenizer.decodeText(prompt.ids))
        // Turns start where they did, in the text that stands before them.
        for (one, other) in zip(plain.turnStarts, prompt.turnStarts) {
            #expect(try tokenizer.decodeText(Array(plain.ids[..<Int(one)])) == tokenizer.decodeText(Array(prompt.ids[..<Int(other)])))
        }
    }

    /// "\n" of the header and the newlines of the answer would be one token: the boundary keeps them apart.
    @Test func noTokenSpansTheBoundary() throws {
        let tokenizer = try TokenizerFiles.fixture("smollm2"), scratch = EncodingScratch()
        let turns = [Turn(role: "user", content: "a"), Turn(role: "assistant", content: "\n\nb"), Turn(role: "user", content: "c")]
        let apart = try encoder(ChatMLTemplate(), .assistant, tokenizer).encodePrompt(turns, scratch: scratch).prompt
        let whole = try encoder(ChatMLTemplate(), .last, tokenizer).encodePrompt(turns, scratch: scratch).prompt
        #expect(apart.ids != whole.ids)
        #expect(try apart.answers.map { try tokenizer.decodeText(Array(apart.ids[Int($0.lowerBound) ..< Int($0.upperBound)])) } == [Array("\n\nb<|im_end|>".utf8)])
    }

    @Test func templatesThatWriteEarlierAnswersOtherwiseAreRefused() throws {
        let tokenizer = try TokenizerFiles.fixture("smollm2")
        let template = try model(
            "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + (m.content if loop.last else m.content[:3]) + '<|im_end|>\n' }}{% endfor %}"
                + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}", tokenizer)
        let turns = [Turn(role: "user", content: "Hi"), Turn(role: "assistant", content: "Hello you"), Turn(role: "user", content: "Bye")]
        let refusal = InputError("the template made writes the answer of turn 2 otherwise when turns follow it, so that what is to be learnt of it cannot be told; use --loss-on last, or choose another by --template")
        #expect(throws: refusal) { try encoder(template, .assistant, tokenizer).encodePrompt(turns, scratch: EncodingScratch()) }
        #expect(try encoder(template, .last, tokenizer).encodePrompt(turns, scratch: EncodingScratch()).prompt.answers.isEmpty)
    }

    /// Through the stream and back: only a stream that says so carries the bounds.
    @Test func travelInTheStream() throws {
        let tokenizer = try TokenizerFiles.fixture("smollm2")
        var record = RecordTokenizerTests.record(1, "x", ["Yes", "No"])
        record.turns = Self.turns
        for learns in LearntAnswers.allCases {
            let records = try RecordTokenizer(encoder(ChatMLTemplate(), learns, tokenizer))
            #expect(records.schema.columns.count == (learns == .last ? 12 : 13))
            let made = try StreamedRecords.tokens([record], records.encoder)
            #expect(made.counts.answers == (learns == .last ? 0 : 2))
            var counts = RecordTokenizer.Counts()
            #expect(try made.records == [records.tokens(record, scratch: EncodingScratch(), counts: &counts)])
        }
    }

    @Test func boundsThatLieWrongAreRefused() throws {
        func validate(_ answers: [Range<UInt32>]) throws {
            let prompt = TokensRecord.Prompt(ids: [5, 6, 7, 8], turnStarts: [0, 4], roles: ["user"], answers: answers)
            let none = Ratings(dimensions: [], ratings: [], rated: [], targets: [])
            try TokensRecord(id: "x", origin: Origin(input: 1, line: 1), source: "", ratings: none, prompts: [prompt], responses: [[1]]).validate()
        }
        try validate([1 ..< 2, 2 ..< 4])
        for wrong in [[0 ..< 1], [1 ..< 1], [3 ..< 5], [1 ..< 3, 2 ..< 4], [2 ..< 3, 1 ..< 2]] as [[Range<UInt32>]] {
            #expect(throws: InputError.self) { try validate(wrong) }
        }
    }
}
