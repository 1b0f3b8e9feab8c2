import SystemIO
import TestSupport
import Testing

@testable import Jinja

/// What a template makes of placeholders against what it makes of contents that meet its demands.
@Suite struct PlaceholderTests {
    private static let origin = TextOrigin(rawValue: 7)

    private func outline(_ source: String) throws -> (text: [UInt8], demands: [ContentDemand])? {
        let template = try Template(Array(source.utf8), name: "made")
        return try template.outline([("c", Placeholders.text(300, origin: Self.origin))]).map { (try $0.result.get().bytes, $0.demands) }
    }

    private func filled(_ text: [UInt8], _ content: [UInt8]) -> [UInt8] {
        Placeholder.parts(of: text).flatMap { part in
            switch part {
            case .fixed(let bytes): bytes
            case .content(let placeholder): content.withUnsafeBufferPointer { Array(placeholder.text(of: $0)) }
            }
        }
    }

    /// Questions, and what is done with the content under either answer.
    @Test(arguments: [
        "{{ c }}", "{{ c.strip() }}", "{{ c | trim }}", "{{ c.lstrip() }}|{{ c.rstrip() }}", "{{ c.strip('ab') }}", "{{ c.lstrip('\\n') }}", "{{ c.rstrip('é ') }}", "{{ c | trim('x') }}",
        "{{ ('a' + c + ' b').strip() }}", "{{ ('a' + c).rstrip('b') }}", "{{ ('<' ~ c ~ '>') | trim }}", "{{ (c + c).strip() }}", "{% filter trim %}{{ c }}{% endfilter %}",
        "{{ c.strip() ~ c }}", "{{ c.lstrip().rstrip() }}", "{{ c.strip().strip('a') }}", "{{ 'y' if c.strip().startswith('a') else c }}", "{{ 'y' if c.rstrip().endswith('b') else c }}",
        "{{ 'y' if c | trim == 'ab' else c | trim }}", "{{ ('a' + c.lstrip()).rstrip() }}", "{% set c = c | trim %}{% if c %}{{ c }}{% else %}none{% endif %}", "{{ 'y' if 'b ' in c.rstrip() else 'n' }}",
        "{{ c if 'ab' in c else 'no' + c }}", "{{ 'x' if 'é' not in c else c }}", "{{ c if '' in c else 'x' }}", "{{ 'y' if c.startswith('ab') else 'n' }}{{ c }}", "{{ 'y' if c.endswith(' ') else 'n' }}{{ c }}",
        "{{ 'y' if c == 'ab' else 'n' }}{{ c }}", "{{ 'y' if 'a' != c else 'n' }}{{ c }}", "{{ 'y' if c is eq 'b' else 'n' }}", "{{ 'y' if c is in ['a', 'ab'] else 'n' }}", "{{ 'y' if c else 'n' }}", "{{ c or 'empty' }}",
        "{{ 'y' if c is string and c is iterable and c is not mapping and c is not none else 'n' }}", "{{ c is sameas('a') }}", "{% set ns = namespace(t='') %}{% set ns.t = ns.t + c %}{{ ns.t }}",
        "{% macro m(t) %}[{{ t }}]{% endmacro %}{{ m(c) }}{{ m('x').strip('[') }}", "{{ ['a', c, 'b'] | join('-') }}", "{{ c | default('x', true) }}", "{{ c | string }}", "{{ '%s' }}{{ c ~ 1 ~ none }}",
        "{% for t in [c, 'b'] %}{{ loop.index }}{{ t }}{% if loop.first %}{% continue %}{% endif %}!{% endfor %}", "{{ (c, 'a')[0] }}{{ {'k': c}.k }}{{ {'k': c}.get('k', 1) }}",
    ]) func holdsWhereItsDemandsAreMet(_ source: String) throws {
        let template = try Template(Array(source.utf8), name: "made"), found = try #require(try outline(source))
        var generator = SeededGenerator(seed: 3), met = 0
        let parts: [[UInt8]] = ["a", "b", "ab", "x", " ", "\n", "é", "\u{A0}", "\u{3000}", "\u{85}", "long text", "\u{1C}", "[", "<"].map { Array($0.utf8) } + [[0xED, 0xA0, 0x80]]
        for _ in 0 ..< 2_000 {
            let content = (0 ... generator.below(4)).flatMap { _ in generator.pick(parts) }
            guard content.withUnsafeBufferPointer({ content in found.demands.allSatisfy { $0.isMet(by: content) } }) else { continue }
            met += 1
            let whole = try template.render([("c", .text(content, origin: Self.origin))]).bytes
            #expect(whole == filled(found.text, content), "\(source) of \(content)")
        }
        #expect(met > 100)
    }

    /// Other looks at a content.
    @Test(arguments: [
        "{{ c | length }}", "{{ c[0] }}", "{{ c[1:] }}", "{{ c.upper() }}", "{{ c | lower }}", "{{ c.split('a') }}", "{{ c.replace('a', 'b') }}", "{{ c | tojson }}", "{{ [c] }}", "{{ c < 'b' }}", "{{ c == c }}",
        "{{ c in ['a', c] }}", "{% for x in c %}{% endfor %}", "{{ c is lower }}", "{{ c.find('a') }}", "{{ 'a' in (c + c) }}", "{{ (c + 'a') == 'ba' }}", "{{ (c + 'x').startswith('a') }}", "{{ (' ' + c).strip() }}",
        "{{ c.strip(c) }}", "{{ c in 'abc' }}", "{{ 'abc'.replace(c, 'x') }}", "{{ c.startswith(('a', 'b')) }}", "{{ c.startswith('a', 1) }}", "{{ {c: 1} }}", "{{ c | int }}", "{{ c * 2 }}", "{{ '%s' % c }}",
        "{{ '{}'.format(c) }}", "{{ c | escape }}", "{{ c.join(['a', 'b']) | length }}", "{{ [c, 'a'] | sort }}", "{{ [c, 'a'] | unique | list }}", "{{ c | indent }}", "{{ c | wordcount }}", "{{ c.isdigit() }}",
        "{{ dict(a=c) | dictsort(by='value') }}", "{{ c.splitlines() }}", "{{ c | truncate(3) }}", "{{ c.partition('a') }}", "{{ c.removeprefix('a') }}", "{{ c | reverse }}", "{{ namespace(a=1)[c] }}",
    ]) func looksAreNoted(_ source: String) throws {
        let template = try Template(Array(source.utf8), name: "made")
        #expect(template.outline([("c", Placeholders.text(300, origin: Self.origin))]) == nil)
        // Other texts are none of its business.
        #expect(throws: Never.self) { _ = template.outline([("c", .text(Placeholder(300).mark, origin: Self.origin))]) }
        _ = try #require(template.outline([("c", .string("a"))]))
    }

    /// A failure is told with what led to it.
    @Test func failuresHaveDemandsToo() throws {
        let template = try Template(Array("{% if 'x' not in c %}{{ raise_exception('no x') }}{% endif %}{{ c }}".utf8), name: "made")
        let found = try #require(template.outline([("c", Placeholders.text(300, origin: Self.origin))]))
        #expect(throws: InputError.self) { try found.result.get() }
        #expect(found.demands == [ContentDemand(of: Placeholder(300), .lacks([0x78]))])
    }
}
