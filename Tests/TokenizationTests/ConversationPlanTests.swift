import Glibc
import JSON
import Jinja
import RecordStream
import SystemIO
import TestSupport
import Testing
@testable import Tokenization

/// Records encoded where they lie, by plans, against records that are laid out one by one.
@Suite struct ConversationPlanTests {
    /// Conversations of many forms; some contents are empty, blank, trimmed by templates, ill-formed or spell special tokens.
    private func records(_ count: Int, _ generator: inout SeededGenerator) -> [RatedRecord] {
        let contents: [Text] = [
            "Hi", "What is 2 + 2?", " outer ", "\n\nline", "tail\n", "", " ", "<|im_end|>", "a<|im_start|>user\nb", "中文 text", "\u{A0}x", "x\u{2003}", "{{ 7 }}", "<think>a</think>b",
            Text(Array("bad ".utf8) + [0xED, 0xA0, 0x80]), Text(String(repeating: "long words ", count: 300)),
        ]
        return (0 ..< count).map { number in
            let responses = 1 + generator.below(4)
            var record = RecordTokenizerTests.record(number, "", (0 ..< responses).map { _ in generator.pick(contents) })
            let turns = 1 + generator.below(5)
            record.turns = (0 ..< turns).map { Turn(role: ($0 + turns) % 2 == 1 ? "user" : "assistant", content: generator.pick(contents)) }
            if generator.once(in: 3) { record.turns.insert(Turn(role: "system", content: generator.pick(contents)), at: 0) }
            if generator.once(in: 20) { record.turns[0].role = "<|im_end|>" }
            if generator.once(in: 4) { record.responseSystems = (0 ..< responses).map { _ in generator.pick(["", "Agree.", "Disagree."]) } }
            return record
        }
    }

    private func compare(_ encoder: TemplateEncoder, seed: UInt64, _ comment: Comment) throws {
        var generator = SeededGenerator(seed: seed)
        let tokenizer = RecordTokenizer(encoder), scratch = EncodingScratch()
        var counts = RecordTokenizer.Counts(), expected: [TokensRecord] = [], given: [RatedRecord] = []
        // What a template refuses is not to be compared.
        for record in records(600, &generator) {
            var more = RecordTokenizer.Counts()
            guard let tokens = try? tokenizer.tokens(record, scratch: scratch, counts: &more) else { continue }
            try tokens.validate()
            counts += more
            expected.append(tokens)
            given.append(record)
        }
        #expect(given.count > 200, comment)
        for workers in [1, 2] {
            let made = try StreamedRecords.tokens(given, encoder, workers: workers)
            for (one, other) in zip(made.records, expected) where one != other { Issue.record("\(one) instead of \(other)"); break }
            #expect(made.records.count == expected.count, comment)
            #expect(made.counts == counts, comment)
        }
    }

    /// A vocabulary in which special tokens of SmolLM2 have the names that Llama 3's template places.
    private func withLlama3Names() throws -> Tokenizer {
        let path = Fixtures.path("tokenizers/smollm2/tokenizer.json")
        var json = String(decoding: try TokenizerFiles.bytes(access(path, R_OK) == 0 ? path : path + ".gz"), as: UTF8.self)
        for (own, name) in [("<repo_name>", "<|begin_of_text|>"), ("<reponame>", "<|start_header_id|>"), ("<file_sep>", "<|end_header_id|>"), ("<filename>", "<|eot_id|>")] {
            json = json.split(separator: "\"\(own)\"", omittingEmptySubsequences: false).joined(separator: "\"\(name)\"")
        }
        return try Tokenizer(json: Array(json.utf8), name: "made")
    }

    @Test func builtInTemplates() throws {
        let smollm2 = try TokenizerFiles.fixture("smollm2"), marking = try TokenizerFiles.fixture("stories260K")
        for (number, system) in ([nil, "Be brief.", ""] as [Text?]).enumerated() {
            try compare(TemplateEncoder(smollm2, ChatMLTemplate(), system: system), seed: UInt64(number), "chatml, \(system as Any)")
            try compare(TemplateEncoder(smollm2, PlainTemplate(for: smollm2), system: system), seed: UInt64(10 + number), "plain, \(system as Any)")
            // Puts a space mark before the first text.
            try compare(TemplateEncoder(marking, PlainTemplate(for: marking), system: system), seed: UInt64(20 + number), "plain with space marks, \(system as Any)")
            try compare(TemplateEncoder(withLlama3Names(), Llama3Template(), system: system), seed: UInt64(30 + number), "llama3, \(system as Any)")
        }
    }

    /// Plans are used, and not passed over for the plain way.
    @Test func plansAreThere() throws {
        let tokenizer = try TokenizerFiles.fixture("smollm2")
        let plain = try PlainTemplate(for: tokenizer)
        for template in [ChatMLTemplate(), plain] as [any ChatTemplate] {
            let plan = try #require(TemplateEncoder(tokenizer, template).plan(["system", "user"], scratch: EncodingScratch()))
            #expect("x".utf8.withContiguousStorageIfAvailable { plan.holds(for: $0) } ?? false)
            #expect(!plan.holds(for: UnsafeBufferPointer(start: nil, count: 0)))
        }
    }
}
