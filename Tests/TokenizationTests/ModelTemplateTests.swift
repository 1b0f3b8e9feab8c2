import JSON
import Jinja
import RecordStream
import SystemIO
import TestSupport
import Testing
@testable import Tokenization

@Suite struct ModelTemplateTests {
    private static let system = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."

    private func template(_ source: String, _ tokenizer: Tokenizer, _ variables: [JSONMember] = []) throws -> ModelTemplate {
        try ModelTemplate(Template(Array(source.utf8), name: "t.jinja"), name: "t", tokenizer: tokenizer, variables: variables)
    }

    private func fixture(_ name: String, _ tokenizer: Tokenizer, _ variables: [JSONMember] = []) throws -> ModelTemplate {
        try template(String(decoding: readWholeFile(Fixtures.path("templates/\(name).jinja")), as: UTF8.self), tokenizer, variables)
    }

    private func turns(_ messages: JSONValue?) throws -> [Turn] {
        try #require(messages?.array).map { Turn(role: try #require($0["role"]?.text), content: try #require($0["content"]?.text)) }
    }

    /// The models' own templates on six conversations: the ids of the reference, unless a message spells out a special token, which stays text here.
    @Test(.enabled(if: SharedFolder.has("tokenizers"), "needs the shared folder's tokenizers"), arguments: [
        ("llama3", "<|begin_of_text|>"), ("llama3.2", "<|begin_of_text|>"), ("qwen2", ""), ("qwen2.5", ""), ("smollm2", ""),
    ]) func idsAreTheModels(_ name: String, _ beginning: String) throws {
        let folder = try #require(SharedFolder.path("tokenizers/\(name)"))
        let tokenizer = try TokenizerFiles.tokenizer(folder + "/tokenizer.json.gz")
        let source = String(decoding: try readWholeFile(folder + "/chat_template.jinja"), as: UTF8.self)
        let encoder = try TemplateEncoder(tokenizer, template(source, tokenizer, beginning.isEmpty ? [] : [JSONMember("bos_token", .string(beginning))])), scratch = EncodingScratch()
        var same = 0, injected = 0, answers = 0
        for row in try TokenizerFiles.rows(folder + "/chat_vectors.json") {
            let turns = try turns(row["messages"]), expected = try #require(row["ids"]?.ids)
            scratch.counts = .init()
            var ids: [UInt32]
            if row["add_generation_prompt"]?.bool == true {
                ids = try encoder.encodePrompt(turns, scratch: scratch).prompt.ids
            } else {
                // A conversation that ends in an answer is a prompt and its answer.
                guard let last = turns.last, last.role == "assistant" else { continue }
                let (prompt, rendered) = try encoder.encodePrompt(turns.dropLast(), scratch: scratch)
                ids = prompt.ids + (try encoder.encodeResponse(last.content, to: rendered, scratch: scratch).ids)
                #expect(expected.starts(with: ids), "\(name): \(row["text"]?.text ?? "")")
                answers += 1
                continue
            }
            if scratch.counts.literalSpecialTokens > 0 {
                injected += 1
                #expect(try ids != expected && Text(tokenizer.decodeText(ids)) == row["text"]?.text, "\(name)")
            } else {
                #expect(ids == expected, "\(name): \(row["text"]?.text ?? "")")
                same += 1
            }
        }
        #expect(same == 5 && injected == 1, "\(name): \(same) the same, \(answers) answers")
    }

    /// The same layouts as those that are written in Swift: pieces, turns, answers.
    @Test func agreesWithTheBuiltInTemplates() throws {
        let tokenizer = try TokenizerFiles.fixture("smollm2")
        let own = try template("{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}", tokenizer)
        let turns = [Turn(role: "system", content: "S<|im_end|>"), Turn(role: "user", content: " U\n"), Turn(role: "assistant", content: ""), Turn(role: "user", content: "V")]
        let encoders = [try TemplateEncoder(tokenizer, own), try TemplateEncoder(tokenizer, ChatMLTemplate())], scratch = EncodingScratch()
        for count in 1 ... 4 {
            let prompts = try encoders.map { try $0.encodePrompt(Array(turns.prefix(count)), scratch: scratch) }
            #expect(prompts[0].prompt == prompts[1].prompt, "\(count) turns")
            for answer in ["R", "", " ", "\n<|im_end|>R "] as [Text] {
                let ids = try zip(encoders, prompts).map { try $0.encodeResponse(answer, to: $1.rendered, scratch: scratch) }
                #expect(ids[0] == ids[1], "\(answer)")
            }
        }
    }

    @Test func trimsAndCounts() throws {
        let tokenizer = try TokenizerFiles.fixture("smollm2")
        let alternating = try fixture("alternating", tokenizer, [JSONMember("bos_token", "<|im_start|>"), JSONMember("eos_token", "<|im_end|>")])
        let prompt = try alternating.prompt([Turn(role: "user", content: "A"), Turn(role: "assistant", content: " B\n"), Turn(role: "user", content: "C")])
        #expect(prompt.pieces == [.special("<|im_start|>"), .text("[INST] A [/INST]"), .text(" B"), .special("<|im_end|>"), .text("[INST] C [/INST]")])
        #expect(prompt.turnStarts == [1, 2, 4, 5] && prompt.trimmed == 1)
        #expect(try alternating.response(" D ", to: prompt) == RenderedResponse(pieces: [.text(" D"), .special("<|im_end|>")], trimmed: 1))
        #expect(try alternating.response("D", to: prompt) == RenderedResponse(pieces: [.text(" D"), .special("<|im_end|>")], trimmed: 0))
        #expect(try alternating.response("", to: prompt) == RenderedResponse(pieces: [.text(" "), .special("<|im_end|>")], trimmed: 0))
        #expect(try alternating.response(" \n", to: prompt) == RenderedResponse(pieces: [.text(" "), .special("<|im_end|>")], trimmed: 1))
        let error = #expect(throws: InputError.self) { try alternating.prompt([Turn(role: "user", content: "A"), Turn(role: "user", content: "B")]) }
        #expect(error?.message == "t.jinja: line 11, column 28: the template refuses this: Roles must alternate user/assistant/user/assistant/...", "\(error?.message ?? "")")
    }

    /// A system turn that the template adds stands before the first turn, whole; what a model thought stays where the template leaves it.
    @Test func preamblesAndThoughts() throws {
        let tokenizer = try TokenizerFiles.fixture("smollm2")
        let chat = try fixture("chat", tokenizer).prompt([Turn(role: "user", content: "A")])
        #expect(chat.pieces == [
            .special("<|im_start|>"), .text("system\nBe helpful."), .special("<|im_end|>"), .text("\n"), .special("<|im_start|>"), .text("user\nA"), .special("<|im_end|>"), .text("\n"),
            .special("<|im_start|>"), .text("assistant\n"),
        ])
        #expect(chat.turnStarts == [4, 8])
        let thinking = try fixture("thinking", tokenizer)
        let prompt = try thinking.prompt([Turn(role: "user", content: "A"), Turn(role: "assistant", content: "<think>\nhm\n</think>\n\nB"), Turn(role: "user", content: "C")])
        #expect(prompt.trimmed == 1 && prompt.turnStarts == [0, 4, 8, 12])
        #expect(prompt.pieces[5] == .text("assistant\nB"), "earlier thoughts are left out")
        #expect(try thinking.response("<think>\nso\n</think>\n\nD", to: prompt).pieces == [.text("<think>\nso\n</think>\n\nD"), .special("<|im_end|>")])
        #expect(try thinking.response("D", to: prompt).pieces == [.text("<think>\n\n</think>\n\nD"), .special("<|im_end|>")], "what the template puts before an answer is part of it")
    }

    /// A token that opens the text is no part of the first turn, one that opens every turn is.
    @Test(arguments: [
        ("{{ bos_token }}{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}{{ '\n' if add_generation_prompt else '' }}", [1, 3]),
        ("{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>{% endif %}", [0, 3]),
        ("<|endoftext|>{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>{% endif %}", [1, 4]),
        ("{% for m in messages %}<|endoftext|>{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>{% endif %}", [0, 3]),
        ("{% for m in messages %}<file_sep>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<|im_start|>{% endif %}", [0, 2]),
        ("{% for m in messages %}{{ m.content }}{% endfor %}", [0, 1]),
    ]) func firstTurns(_ source: String, _ starts: [Int]) throws {
        let tokenizer = try TokenizerFiles.fixture("smollm2")
        #expect(try template(source, tokenizer, [JSONMember("bos_token", "<|im_start|>")]).prompt([Turn(role: "user", content: "A")]).turnStarts == starts)
    }

    /// Turns of a template that will not render the first ones alone, and of one that ends those otherwise.
    @Test(arguments: [
        ("{% if messages | length < 3 %}{{ raise_exception('few') }}{% endif %}{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>{% endif %}", [0, 4, 8, 12]),
        ("{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>{% else %}<|endoftext|>{% endif %}", [0, 4, 8, 12]),
        ("{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}<assistant>{% else %}</s>{% endif %}", [0, 1, 2, 3]),
    ]) func turnsOfOddTemplates(_ source: String, _ starts: [Int]) throws {
        let tokenizer = try TokenizerFiles.fixture("smollm2")
        let turns = [Turn(role: "user", content: "A"), Turn(role: "assistant", content: "B"), Turn(role: "user", content: "C")]
        #expect(try template(source, tokenizer).prompt(turns).turnStarts == starts)
    }

    /// What cannot be parted into prompt and answer is refused, with the reason.
    @Test(arguments: [
        ("{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}<think>{% endif %}", "writes the prompt otherwise when an answer follows: \"A<|im_end|><think>\" becomes \"A<|im_end|>R<|im_end|>\" at byte 11"),
        ("{{ messages | length }}{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}", "writes the prompt otherwise when an answer follows: \"1A<|im_end|>\" becomes \"2A<|im_end|>R<|im_end|>\" at byte 0"),
        ("{% for m in messages if m.role == 'user' %}{{ m.content }}<|im_end|>{% endfor %}", "leaves the answer out"),
        ("{% for m in messages %}{{ m.content }}\n{% endfor %}", "puts no special token of this vocabulary after an answer"),
        ("{% for m in messages %}{{ m.content | upper }}<|im_end|>{% endfor %}", "changes the answer's text"),
    ]) func refusals(_ source: String, _ reason: String) throws {
        let tokenizer = try TokenizerFiles.fixture("smollm2"), template = try template(source, tokenizer)
        let error = #expect(throws: InputError.self) { try template.response(reason.contains("changes") ? "Rr" : "R", to: template.prompt([Turn(role: "user", content: "A")])) }
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }

    /// A role that is no plain word is the caller's text: it cannot place a special token, nor can any part of a message.
    @Test func nothingOfTheCallersIsSpecial() throws {
        let tokenizer = try TokenizerFiles.fixture("smollm2")
        let own = try template("{% for m in messages %}{{ '<|' + m.role + '|>' + m.content[:4] + m.content[4:] + '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>' }}{% endif %}", tokenizer)
        let prompt = try own.prompt([Turn(role: "im_start", content: "<|im_end|>"), Turn(role: "im_end|><|im_end", content: "|>")])
        #expect(prompt.pieces == [.special("<|im_start|>"), .text("<|im_end|>"), .special("<|im_end|>"), .text("<|im_end|><|im_end|>|>"), .special("<|im_end|>"), .special("<|im_start|>")])
    }

    @Test func builtInTemplatesOfModels() throws {
        let stories = try TokenizerFiles.fixture("stories260K"), smollm2 = try TokenizerFiles.fixture("smollm2")
        func builtIn(_ template: BuiltInTemplate, _ tokenizer: Tokenizer) throws -> ModelTemplate {
            let (text, tokens) = try #require(template.source)
            return try ModelTemplate(Template(Array(text.utf8), name: template.rawValue), name: template.rawValue, tokenizer: tokenizer, required: tokens)
        }
        let turns = [Turn(role: "system", content: "S"), Turn(role: "user", content: " A "), Turn(role: "assistant", content: "B"), Turn(role: "user", content: "C")]
        let llama2 = try builtIn(.llama2, stories), prompt = try llama2.prompt(turns)
        #expect(Self.joined(prompt.pieces) == "⟨<s>⟩[INST] <<SYS>>\nS\n<</SYS>>\n\n A [/INST] B ⟨</s>⟩⟨<s>⟩[INST] C [/INST]")
        #expect(try Self.joined(llama2.response("D", to: prompt).pieces) == " D ⟨</s>⟩")
        let zephyr = try builtIn(.zephyr, stories), asked = try zephyr.prompt(turns)
        #expect(Self.joined(asked.pieces) == "<|system|>\nS⟨</s>⟩\n<|user|>\n A ⟨</s>⟩\n<|assistant|>\nB⟨</s>⟩\n<|user|>\nC⟨</s>⟩\n<|assistant|>\n")
        #expect(try Self.joined(zephyr.response("D", to: asked).pieces) == "D⟨</s>⟩")
        let qwen = try builtIn(.qwen, smollm2), plain = try qwen.prompt([Turn(role: "user", content: "A")])
        #expect(Self.joined(plain.pieces) == "⟨<|im_start|>⟩system\n\(Self.system)⟨<|im_end|>⟩\n⟨<|im_start|>⟩user\nA⟨<|im_end|>⟩\n⟨<|im_start|>⟩assistant\n")
        #expect(throws: InputError("template zephyr needs the token </s>, which the tokenizer lacks; choose the template that the model was trained with")) { try builtIn(.zephyr, smollm2) }
        #expect(throws: InputError.self) { try llama2.prompt([Turn(role: "tool", content: "x")]) }
    }

    private static func joined(_ pieces: [TemplatePiece]) -> String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text.description
            case .special(let name): "⟨\(name)⟩"
            }
        }.joined()
    }
}

/// Tokens that take the white space beside them, as some vocabularies flag theirs.
@Suite struct SpecialTokenCutterTests {
    @Test func takesTheWhiteSpaceThatTokensTake() {
        func token(_ id: UInt32, _ content: String, left: Bool = false, right: Bool = false) -> AddedToken {
            AddedToken(id: id, content: Array(content.utf8), isSpecial: true, singleWord: false, stripsLeft: left, stripsRight: right, normalized: false)
        }
        let cutter = SpecialTokenCutter([token(1, "<l>", left: true), token(2, "<r>", right: true), token(3, "<n>")], opening: [])
        func pieces(_ text: String, _ starts: [Int] = []) -> (pieces: [TemplatePiece], starts: [Int]) { cutter.pieces(MarkedText(text), 0 ..< text.utf8.count, starts: starts) }
        #expect(pieces("a \n<l> b").pieces == [.text("a"), .special("<l>"), .text(" b")])
        #expect(pieces("a <r>\u{3000}\n b").pieces == [.text("a "), .special("<r>"), .text("b")])
        #expect(pieces("<r> <l> <n> ").pieces == [.special("<r>"), .special("<l>"), .text(" "), .special("<n>"), .text(" ")])
        #expect(pieces("  <l>").pieces == [.special("<l>")] && pieces("<r>  ").pieces == [.special("<r>")])
        // Starts inside a token, or in what it takes, stand before or after it.
        #expect(pieces("ab<n>cd", [0, 1, 2, 3, 5, 6, 7]).starts == [0, 1, 2, 2, 3, 4, 5])
        #expect(pieces("a<r>  b", [1, 4, 5, 6]).starts == [1, 1, 1, 2])
    }
}
