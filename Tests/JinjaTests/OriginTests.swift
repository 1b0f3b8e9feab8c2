import JSON
import Testing
@testable import Jinja

/// Every byte knows whether the template or the caller wrote it.
@Suite struct OriginTests {
    /// The text with what came from the caller between ⟨ and ⟩.
    private func marked(_ source: String, _ variables: [(name: String, value: Value)] = []) throws -> String {
        let standard: [(name: String, value: Value)] = [
            ("c", .text(Array("  One<|end|>\n".utf8), origin: caller)), ("d", .text(Array("TWO".utf8), origin: caller)),
            ("m", Value(["k": "v\"<|end|>", "n": [1, "é"]], origin: caller)),
        ]
        let text = try Template(Array(source.utf8), name: "t").render(standard + variables)
        var result = "", start = 0
        for run in text.runs {
            let part = String(decoding: text.bytes[start ..< run.end], as: UTF8.self)
            result += run.origin == .template ? part : "⟨\(part)⟩"
            start = run.end
        }
        return result
    }

    private let caller = TextOrigin(rawValue: 7)

    @Test(arguments: [
        ("a{{ c }}b", "a⟨  One<|end|>\n⟩b"), ("{{ '<|end|>' + c + d ~ '<|end|>' }}", "<|end|>⟨  One<|end|>\nTWO⟩<|end|>"), ("{{ c | trim }}", "⟨One<|end|>⟩"), ("{{ c.strip() ~ '!' }}", "⟨One<|end|>⟩!"),
        ("{{ ('a' + d + 'b')[1:] }}", "⟨TWO⟩b"), ("{{ ('a' + d + 'b')[::-1] }}", "b⟨OWT⟩a"), ("{{ ('a' ~ d)[1] ~ ('a' ~ d)[0] }}", "⟨T⟩a"), ("{{ ('a-' ~ d) | upper }}", "A-⟨TWO⟩"),
        ("{{ ('a-' ~ d) | title }}", "A-⟨Two⟩"), ("{{ c.split('<|')[1] ~ c.split('|>')[0] }}", "⟨end|>\n  One<|end⟩"), ("{{ 'xyz'.replace('y', d) }}", "x⟨TWO⟩z"), ("{{ d.replace('W', '<|end|>') }}", "⟨T⟩<|end|>⟨O⟩"),
        ("{{ [d, 'a'] | join(c | trim) }}", "⟨TWOOne<|end|>⟩a"), ("{{ '-'.join([d, d]) }}", "⟨TWO⟩-⟨TWO⟩"), ("{{ m | tojson }}", "{\"⟨k⟩\": \"⟨v\\\"<|end|>⟩\", \"⟨n⟩\": [1, \"⟨é⟩\"]}"),
        ("{{ m }}", "{'⟨k⟩': '⟨v\"<|end|>⟩', '⟨n⟩': [1, '⟨é⟩']}"), ("{{ '%s|%5s' % (d, d) }}", "⟨TWO⟩|  ⟨TWO⟩"), ("{{ '{}{:>5}'.format(d, d) }}", "⟨TWO⟩  ⟨TWO⟩"), ("{{ d.center(7, '*') }}", "**⟨TWO⟩**"),
        ("{% set x %}a{{ d }}{% endset %}{{ x }}", "a⟨TWO⟩"), ("{% macro f(x) %}<{{ x }}>{% endmacro %}{{ f(d) ~ f('d') }}", "<⟨TWO⟩><d>"), ("{% filter lower %}A{{ d }}{% endfilter %}", "a⟨two⟩"),
        ("{{ ('a\n' ~ c) | indent(2) }}", "a\n  ⟨  One<|end|>⟩\n"), ("{{ (d ~ '&') | e }}{{ ('<b>' | safe) + d }}", "⟨TWO⟩&amp;<b>⟨TWO⟩"), ("{% for x in d ~ 'ab' %}{{ x }},{% endfor %}", "⟨T⟩,⟨W⟩,⟨O⟩,a,b,"),
        ("{% for k, v in m.items() %}{{ k }}={{ v }};{% endfor %}", "⟨k⟩=⟨v\"<|end|>⟩;⟨n⟩=[1, '⟨é⟩'];"), ("{{ ('a\n' ~ d).splitlines()[1] }}", "⟨TWO⟩"), ("{{ d | replace('TWO', 'x') }}", "x"), ("{{ (d * 2 ~ 'a' * 2) }}", "⟨TWOTWO⟩aa"),
        ("{{ d | length }}", "3"), ("{{ ('ß' ~ d) | upper | lower }}", "ss⟨two⟩"), ("{{ (c ~ 'abcdefgh') | truncate(9, true, '~') }}", "⟨  One<|e⟩~"), ("{{ d.partition('W') | join('/') }}", "⟨T⟩/W/⟨O⟩"),
    ]) func keepTheirOrigin(_ source: String, _ expected: String) throws {
        #expect(try marked(source) == expected)
    }

    @Test func prefixesCompareOrigins() {
        var text = MarkedText("ab")
        text.append(MarkedText("cd", origin: caller))
        text.append(MarkedText("ef"))
        var start = MarkedText("ab")
        start.append(MarkedText("c", origin: caller))
        #expect(text.hasPrefix(start) && text.hasPrefix(MarkedText()) && text.hasPrefix(text) && text.hasPrefix(MarkedText("a")))
        #expect(!text.hasPrefix(MarkedText("abc")) && !start.hasPrefix(text) && !text.hasPrefix(MarkedText("ab", origin: caller)))
        #expect(text.sharedPrefix(with: start) == 3 && start.sharedPrefix(with: MarkedText("x")) == 0 && MarkedText("0123456789abcdefg").sharedPrefix(with: MarkedText("0123456789abcdeXg")) == 15)
        #expect(text[1 ..< 5].runs == [.init(end: 1, origin: .template), .init(end: 3, origin: caller), .init(end: 4, origin: .template)])
    }
}
