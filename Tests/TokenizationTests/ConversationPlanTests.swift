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

    private func compare(_ encoder: TemplateEncoder, seed: UInt64, least: Int = 200, _ comment: Comment) throws {
        var generator = SeededGenerator(seed: seed)
        let tokenizer = RecordTokenizer(encoder), scratch = EncodingScratch()
        var counts = RecordTokenizer.Counts(), expected: [TokensRecord] = [], given: [RatedRecord] = []
        for record in records(600, &generator) {
            var more = RecordTokenizer.Counts()
            guard let tokens = try? tokenizer.tokens(record, scratch: scratch, counts: &more) else {
                #expect(throws: InputError.self, comment) { try StreamedRecords.tokens([record], encoder) }
                continue
            }
            try tokens.validate()
            counts += more
            expected.append(tokens)
            given.append(record)
        }
        #expect(given.count >= least, comment)
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

    private func model(_ source: String, _ tokenizer: Tokenizer) throws -> ModelTemplate {
        try ModelTemplate(Template(Array(source.utf8), name: "made.jinja"), name: "made", tokenizer: tokenizer)
    }

    /// What templates ask of contents and do with them; all of these render. Those of the first list have a plan.
    private static let planned = [
        "{{ m.content }}", "{{ m['content'] | trim }}", "{{ m.content.strip() }}", "{{ m.content.lstrip('\n') }}", "{{ m.content.rstrip() }}", "{{ (' ' ~ m.content)[0:] if false else m.content }}",
        "{{ m.content if m.content is string else '' }}", "{% if '</think>' in m.content %}thought{% else %}{{ m.content }}{% endif %}",
        "{% if m.content.startswith('<think>') or m.content.endswith('\n') %}{{ m.content.split('>') | last }}{% else %}{{ m.content }}{% endif %}",
        "{% set c = m.content %}{% if c == 'Hi' %}{{ 'Hello' }}{% elif c %}{{ c }}{% endif %}", "{%- set ns = namespace(c=m.content) -%}{{ ns.c }}", "{{ ('x' + m.content).strip() }}",
        "{% macro show(c) %}{{ c }}{% endmacro %}{{ show(m.content) }}", "{% filter trim %}{{ m.content }}{% endfilter %}", "{{ [m.content, 'y'] | first }}", "{{ {'c': m.content}['c'] }}",
    ]
    private static let planless = [
        "{{ m.content | upper }}", "{{ m.content[:5] }}", "{{ m.content | length }}{{ m.content }}", "{{ m.content | replace('a', 'b') }}", "{{ m.content | tojson }}", "{{ m.content.split('\n')[0] }}",
        "{% for c in m.content %}{{ c }}{% endfor %}", "{{ 'long' if m.content > 'm' else 'short' }}{{ m.content }}", "{{ m.content ~ m.content }}", "{{ (' ' + m.content).strip() }}",
        "{% if 'a' in (m.content + m.content) %}{{ m.content }}{% else %}{{ m.content }}.{% endif %}", "{{ {m.content: 1}.get('Hi', 0) }}{{ m.content }}", "{{ m.content | title }}", "{{ 'a' }}",
        "{{ m.content | indent }}", "{{ m.content | e }}", "{% if m.content is upper %}!{% endif %}{{ m.content }}", "{{ m.content.count('a') }}{{ m.content }}", "{{ [m.content] | string }}",
    ]

    private func around(_ part: String) -> String {
        "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}" + part + "{{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    }

    @Test(arguments: planned) func templatesThatArePlanned(_ part: String) throws {
        let tokenizer = try TokenizerFiles.fixture("smollm2"), encoder = try TemplateEncoder(tokenizer, model(around(part), tokenizer))
        #expect(encoder.plan(["user"], scratch: EncodingScratch()) != nil)
        try compare(encoder, seed: 1, "\(part)")
    }

    @Test(arguments: planless) func templatesThatLookAtContents(_ part: String) throws {
        let tokenizer = try TokenizerFiles.fixture("smollm2"), template = try model(around(part), tokenizer)
        #expect(try (try? template.outline(["user"])) == nil)
        try compare(TemplateEncoder(tokenizer, template), seed: 2, least: 0, "\(part)")
    }

    /// Templates in which what a placeholder came to, or where a turn starts, was told otherwise than for contents; and how they open an answer.
    @Test(arguments: [
        ("{% for m in messages %}<|im_start|>{{ m.role + '\n' }}{{ (m.content | safe | trim) + ' & ' }}<|im_end|>\n{% endfor %}", "<|im_start|>assistant\n"),
        ("{% for m in messages %}<|im_start|>{{ m.role + '\n' }}{% set x = (m.content | safe).strip() %}{% if x is escaped %}E{% endif %}{{ x }}<|im_end|>\n{% endfor %}", "<|im_start|>assistant\nE"),
        ("{% for m in messages %}{{ m.role }}: {{ m.content.strip() if messages | length == 1 else m.content }}\n{{ '<|im_end|>' if m.role == 'assistant' }}{% endfor %}", "assistant: "),
        ("{% for m in messages %}{% if m.role == 'user' %}<|im_start|>user\n{{ m.content | trim if messages | length < 2 else m.content }}\n{% else %}{{ m.content }}<|im_end|>{% endif %}{% endfor %}", ""),
        ("{% set us = messages | selectattr('role', 'equalto', 'user') | list %}{% set li = us | length * 2 - 2 %}{{ us[-1].content }}|{% for m in messages %}{% if loop.index0 != li or messages | length == 1 %}{{ m.role }}: "
            + "{{ m.content }}\n{% endif %}{{ '<|im_end|>' if m.role == 'assistant' and loop.last }}{% endfor %}", "assistant: "),
        ("{% for m in messages %}{{ m.role }}: {{ m.content }}{{ '<|im_end|>' if m.role == 'assistant' else 'Hi' if messages | length == 1 else '' }}{% endfor %}", "assistant: "),
    ]) func templatesThatPlansOnceMissed(_ source: String, _ opening: String) throws {
        let tokenizer = try TokenizerFiles.fixture("smollm2")
        let template = try model(source + "{% if add_generation_prompt %}" + opening + "{% endif %}", tokenizer)
        for seed in 5 ... 7 { try compare(TemplateEncoder(tokenizer, template), seed: UInt64(seed), least: 50, "\(source)") }
    }

    /// What goes beyond a template's bounds does so by a plan too.
    @Test func boundsHoldForPlans() throws {
        let tokenizer = try TokenizerFiles.fixture("smollm2")
        let template = try model(around("{% set q %}{% for i in range(70) %}{{ m.content }}{% endfor %}{% endset %}{{ m.content }}"), tokenizer), encoder = try TemplateEncoder(tokenizer, template)
        for size in [10, 60_000, 70_000, 1_000_000] {
            let record = RecordTokenizerTests.record(1, Text([UInt8](repeating: 0x78, count: size)), ["Yes"])
            var counts = RecordTokenizer.Counts()
            let expected = try? RecordTokenizer(encoder).tokens(record, scratch: EncodingScratch(), counts: &counts)
            #expect((expected == nil) == (size == 1_000_000))
            #expect(try (try? StreamedRecords.tokens([record], encoder).records) == expected.map { [$0] })
        }
    }

    /// Plans are used, and not passed over for the plain way.
    @Test func plansAreThere() throws {
        let tokenizer = try TokenizerFiles.fixture("smollm2")
        let plain = try PlainTemplate(for: tokenizer)
        for template in [ChatMLTemplate(), plain] as [any ChatTemplate] {
            let plan = try #require(TemplateEncoder(tokenizer, template).plan(["system", "user"], scratch: EncodingScratch()))
            #expect("x".utf8.withContiguousStorageIfAvailable { plan.holds(for: $0, in: 2) } ?? false)
            #expect(!plan.holds(for: UnsafeBufferPointer(start: nil, count: 0), in: 2))
        }
    }
}
