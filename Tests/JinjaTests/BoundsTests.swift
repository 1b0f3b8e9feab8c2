import Glibc
import JSON
import SystemIO
import TestSupport
import Testing
@testable import Jinja

/// Templates come from anyone: none may run for ever, fill memory, run out of stack, or trap.
@Suite struct BoundsTests {
    private func outcome(_ source: String, _ variables: [(name: String, value: Value)] = []) -> (text: String, error: String) {
        do {
            return (String(decoding: try Template(Array(source.utf8), name: "t").render(variables).bytes, as: UTF8.self), "")
        } catch { return ("", error.message) }
    }

    private func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    private static let endless = "{% set r = range(100000) %}"

    @Test(arguments: [
        endless + "{% for a in r %}{% for b in r %}{% endfor %}{% endfor %}", endless + "{% for a in r %}{% for b in r %}{{ b }}{% endfor %}{% endfor %}", endless + "{% for a in r %}{% set x = r | list %}{% endfor %}",
        "{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}", "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
        "{% set ns = namespace(s='x') %}" + endless + "{% for a in r %}{% set ns.s = ns.s + ns.s %}{% endfor %}", "{% set ns = namespace(l=[1]) %}" + endless + "{% for a in r %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
        "{% set ns = namespace(l=[]) %}" + endless + "{% for a in r %}{% set ns.l = [ns.l] %}{% endfor %}", "{% set ns = namespace(l=[]) %}" + endless + "{% for a in r %}{% set ns.l = [ns.l] | select %}{% endfor %}",
        "{% set ns = namespace(d={}) %}" + endless + "{% for a in r %}{% set ns.d = {'a': ns.d} %}{% endfor %}", "{{ 'x' * 9999999999 }}", "{{ [1] * 9999999999 }}", "{{ 'x' * 1000000 * 1000000 }}",
        endless + "{% set s = 'ab' * 1000000 %}{% for a in r %}{% set q = s.replace('a', 'bb') %}{% endfor %}", endless + "{% set s = 'ab' * 1000000 %}{% for a in r %}{% if 'c' in s %}{% endif %}{% endfor %}",
        endless + "{% set s = 'ab' * 1000000 %}{% for a in r %}{{ s | length }}{% endfor %}", endless + "{% set s = 'ab' * 1000000 %}{% for a in r %}{{ s[a] }}{% endfor %}", endless + "{{ r | list | tojson(indent=100000) }}",
        "{{ '%999999999d' % 1 }}", "{{ '{:999999999}'.format(1) }}", "{{ 'a' | center(9999999999) }}", "{{ ('a\n' * 1000) | indent(99999999) }}", "{{ 10 ** 400 }}", "{{ 10.0 ** 400 }}", "{{ 9223372036854775807 + 1 }}", "{{ -9223372036854775807 - 2 }}",
        "{{ 9223372036854775807 * 2 }}", "{{ (-9223372036854775807 - 1) // -1 }}", "{% set ns = namespace() %}{% set ns.me = ns %}{{ ns }}", "{% set ns = namespace(l=[]) %}{% set ns.l = [ns] %}{{ ns.l | string }}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", "{% macro f(g) %}{{ g(g) }}{% endmacro %}{{ f(f) }}", "{{ 'x'.join(range(100000) | map('string')) * 100000 }}", "{{ range(1, 9223372036854775807) }}", "{{ range(-9223372036854775807, 9223372036854775807) }}",
        "{% set ns = namespace(f=none) %}{% macro m(n) %}{% macro inner(k) %}{{ k }}{% endmacro %}{% set ns.f = inner %}{% endmacro %}" + endless + "{% for a in r %}{% set x = m(a) %}{% for b in r %}{{ ns.f(b) }}{% endfor %}{% endfor %}",
        "{{ cycler(cycler(1)).next().next().next() }}", "{% set ns = namespace(c=cycler(1)) %}" + endless + "{% for a in r %}{% set ns.c = cycler(ns.c) %}{% endfor %}", "{{ 1.0 | int }}{{ 1e300 | int }}",
        endless + "{% for a in r %}{{ r | batch(3) | list | length }}{% endfor %}", endless + "{% for a in r %}{{ r | map('string') | join | length }}{% endfor %}", "{% set s = 'a ' * 500000 %}" + endless + "{% for a in r %}{{ s.split() | length }}{% endfor %}",
    ]) func endWithAnError(_ source: String) {
        let start = processorSeconds()
        let (_, error) = outcome(source)
        #expect(error.hasPrefix("t: line "), "\(source): \(error)")
        #expect(processorSeconds() - start < 3, "\(source)")
    }

    /// Nesting of every kind, in the source: an error, or a tree that is walked and released without running out of stack.
    @Test(arguments: [
        ("(", "1", ")"), ("[", "1", "]"), ("{'a': ", "1", "}"), ("not ", "1", ""), ("-", "1", ""), ("", "x", ".y"), ("", "x", "['y']"), ("", "1", "|int"), ("", "1", " is defined == 1"), ("", "1", " if 1 else 2"), ("", "1", " + 1"),
        ("", "1", " - 1"), ("", "'a'", " ~ 1"), ("", "1", " and 1"), ("", "1", " or 1"), ("1 if 1 else ", "1", ""), ("x[", "1", "]"), ("f(", "1", ")"), ("", "f", "()"), ("", "1", " < 1"), ("", "1", " ** 1"), ("", "1", " * 1"),
    ]) func nestedExpressions(_ before: String, _ middle: String, _ after: String) {
        for count in [10, 100, 1000, 100_000] {
            let source = "{{ " + String(repeating: before, count: count) + middle + String(repeating: after, count: count) + " }}"
            let (text, error) = outcome(source)
            #expect(error.isEmpty || error.hasPrefix("t: line 1, column "), "\(count) of \(before)\(after): \(text.prefix(10))\(error)")
        }
    }

    @Test(arguments: [
        ("{% if 1 %}", "{% endif %}"), ("{% for x in [1] %}", "{% endfor %}"), ("{% macro f() %}", "{% endmacro %}"), ("{% call f() %}", "{% endcall %}"), ("{% set x %}", "{% endset %}"), ("{% filter upper %}", "{% endfilter %}"),
        ("{% with %}", "{% endwith %}"), ("{% generation %}", "{% endgeneration %}"), ("{% if 0 %}{% else %}", "{% endif %}"),
    ]) func nestedTags(_ opening: String, _ closing: String) {
        for count in [100, 1000, 100_000] {
            let (_, error) = outcome(String(repeating: opening, count: count) + String(repeating: closing, count: count))
            #expect(count == 100 || error.contains("inside one another"), "\(count) of \(opening): \(error)")
        }
        #expect(outcome(String(repeating: opening, count: 100_000)).error.hasPrefix("t: line 1, column "))
    }

    @Test func longFlatTemplates() {
        #expect(outcome("{% if 0 %}" + String(repeating: "{% elif 0 %}", count: 20_000) + "{% else %}x{% endif %}").text == "x")
        #expect(outcome("{{ " + String(repeating: "'a' + ", count: 20_000) + "'b' }}").text.utf8.count == 20_001)
        #expect(outcome("{{ " + String(repeating: "'a' ~ ", count: 20_000) + "'b' }}").text.utf8.count == 20_001)
        #expect(outcome(String(repeating: "{{ 1 }}", count: 50_000)).text.utf8.count == 50_000)
    }

    /// A thread with half of the stack that a system gives at the least.
    @Test(arguments: [
        "{% macro f(n) %}{% if n %}{% for x in [1] %}{{ (f(n - 1) | string) ~ [1][0] }}{% endfor %}{% endif %}{% endmacro %}{{ f(100000) }}",
        "{% macro f() %}{% call f() %}{{ caller() }}{% endcall %}{% endmacro %}{% call f() %}x{% endcall %}",
        "{% macro f() %}{% set x %}{% filter upper %}{% with a=1 %}{{ f() }}{% endwith %}{% endfilter %}{% endset %}{{ x }}{% endmacro %}{{ f() }}",
        "{% macro f(a=f()) %}{% endmacro %}{{ f() }}", "{% for x in [1] recursive %}{% if 1 %}{{ loop([[1]]) | upper }}{% endif %}{% endfor %}",
        "{% macro f(n) %}{{ [[f(n - 1) | upper | trim] | join] | first ~ 'x' }}{% endmacro %}{{ f(1) }}",
    ]) func deepestWorkFitsASmallStack(_ source: String) {
        final class Box: @unchecked Sendable {
            let source: String
            var error = ""

            init(_ source: String) { self.source = source }
        }
        let box = Box(source)
        var attributes = pthread_attr_t(), thread = pthread_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, 1 << 20)
        let made = pthread_create(&thread, &attributes, { context in
            let box = Unmanaged<Box>.fromOpaque(context!).takeRetainedValue()
            box.error = BoundsTests().outcome(box.source).error
            return nil
        }, Unmanaged.passRetained(box).toOpaque())
        #expect(made == 0)
        pthread_join(thread, nil)
        #expect(box.error.contains("inside one another"), "\(source): \(box.error)")
    }

    /// Long conversations may be walked through several times.
    @Test func largeInputsAreNotRefused() throws {
        let long = Value.text([UInt8](repeating: UInt8(ascii: "a"), count: 8 << 20), origin: TextOrigin(rawValue: 1))
        let source = "{% set s = c.strip() %}{% if '</think>' in s %}x{% endif %}{% set p = s.split('b')[-1] %}{{ '<' + p | trim + '>' }}{{ s | length }}"
        #expect(outcome(source, [("c", long)]).text.utf8.count == 8 << 20 + 9)
        let messages = Value.list((0 ..< 20_000).map { Value(["role": "user", "content": .string("message \($0)")], origin: TextOrigin(rawValue: 1)) })
        let chat = try readWholeFile(Fixtures.path("templates/chat.jinja"))
        let (text, error) = outcome(String(decoding: chat, as: UTF8.self), [("messages", messages)])
        #expect(error.isEmpty && text.split(separator: "<|im_end|>").count == 20_002)
    }

    @Test func errorsTellWhere() {
        #expect(outcome("a\nb {{ x.y }}").error == "t: line 2, column 7: x is undefined")
        #expect(outcome("é{{ 'ü' + 1 }}").error == "t: line 1, column 9: + does not go with str and int")
        #expect(outcome("\n\n{% if %}").error == "t: line 3, column 7: found %}, expected an expression")
        #expect(outcome("{{ raise_exception('roles must alternate') }}").error == "t: line 1, column 19: the template refuses this: roles must alternate")
        #expect(outcome("{% include 'x' %}").error == "t: line 1, column 4: {% include %} is not supported: a chat template is one file")
        #expect(outcome("{{ strftime_now('%Y') }}").error == "t: line 1, column 16: strftime_now is undefined")
        #expect(throws: InputError("t: not UTF-8; a chat template is text")) { try Template([0xFF], name: "t") }
        #expect(throws: InputError("t: 4194305 bytes, expected a chat template of at most 4194304")) { try Template([UInt8](repeating: 0x61, count: 4 << 20 + 1), name: "t") }
    }

    /// Bytes of every template, cut and changed: an error or a text, never a trap.
    @Test func damagedTemplates() throws {
        var random = SeededGenerator(seed: 11)
        let variables: [(name: String, value: Value)] = [("messages", Value([["role": "user", "content": "Hi"], ["role": "assistant", "content": "<think>a</think>b"]], origin: TextOrigin(rawValue: 1)))]
        var texts = 0, errors = 0
        for name in ["chat", "trimming", "alternating", "thinking", "schema"] {
            let source = try readWholeFile(Fixtures.path("templates/\(name).jinja"))
            for _ in 0 ..< 1500 {
                var bytes = source
                switch Int.random(in: 0 ..< 4, using: &random) {
                case 0: bytes.removeSubrange(Int.random(in: 0 ..< bytes.count, using: &random)...)
                case 1: bytes.remove(at: Int.random(in: 0 ..< bytes.count, using: &random))
                case 2: bytes[Int.random(in: 0 ..< bytes.count, using: &random)] = Array("{}%'\"()[]|.-+~*#a0 \n\\".utf8).randomElement(using: &random)!
                default:
                    let start = Int.random(in: 0 ..< bytes.count, using: &random), end = min(bytes.count, start + Int.random(in: 1 ... 40, using: &random))
                    bytes.insert(contentsOf: bytes[start ..< end], at: Int.random(in: 0 ... bytes.count, using: &random))
                }
                if (try? Template(bytes, name: "t").render(variables)) == nil { errors += 1 } else { texts += 1 }
            }
        }
        #expect(texts > 500 && errors > 500, "\(texts) texts, \(errors) errors")
    }

    /// What a template made lives no longer than it runs, also where it holds itself.
    @Test func nothingIsLeftBehind() throws {
        let source = "{% set ns = namespace() %}{% set ns.me = ns %}{% macro f() %}{{ ns.f }}{% endmacro %}{% set ns.f = f %}{% for x in [1, 2] %}{% macro g() %}{{ x }}{% endmacro %}{% set ns.g = g %}{% set ns.l = loop %}{% endfor %}{{ ns.g() }}"
        let template = try Template(Array(source.utf8), name: "t")
        func megabytes() throws -> Int { Int(String(decoding: try readWholeFile("/proc/self/statm"), as: UTF8.self).split(separator: " ")[1])! / 256 }
        let variables: [(name: String, value: Value)] = [("messages", .list((0 ..< 1000).map { .integer($0) }))]
        for _ in 0 ..< 100 { _ = try template.render(variables) }
        let before = try megabytes()
        for _ in 0 ..< 100_000 { #expect(try template.render(variables).bytes == [UInt8(ascii: "2")]) }
        #expect(try megabytes() - before < 8)
    }
}
