import JSON
import SystemIO
import TestSupport
import Testing
@testable import Jinja

/// Texts equal to those of the reference, transformers 5.23.0 with Jinja2 3.1.6, and errors where it has errors.
@Suite struct VectorTests {
    /// What a template makes of a conversation's variables.
    static func render(_ template: Template, _ conversation: JSONValue, _ more: [JSONMember], _ settings: RenderSettings) throws -> MarkedText {
        var variables: [(name: String, value: Value)] = [("add_generation_prompt", .boolean(false)), ("tools", .none), ("documents", .none)]
        for member in more + (conversation.object ?? []) { variables.append((member.key.description, Value(member.value, origin: TextOrigin(rawValue: 1)))) }
        return try template.render(variables, settings: settings)
    }

    @Test func everyConstructOfTheLanguage() throws {
        let file = try JSON.parse(readWholeFile(Fixtures.path("templates/vectors.json")))
        let settings = RenderSettings(now: TemplateTime(try #require(file["time"]?.string)))
        let variables = try #require(file["variables"]), cases = try #require(file["cases"]?.array)
        var texts = 0, errors = 0
        for row in cases {
            let source = try #require(row["template"]?.text)
            guard let expected = row["text"]?.text else {
                #expect(throws: (any Error).self, "\(source)") { try Self.render(Template(source.bytes, name: "t"), variables, [], settings) }
                errors += 1
                continue
            }
            do {
                #expect(Text(try Self.render(Template(source.bytes, name: "t"), variables, [], settings).bytes) == expected, "\(source)")
            } catch { Issue.record("\(source): \(error)") }
            texts += 1
        }
        #expect(texts > 100 && errors > 90, "\(texts) texts, \(errors) errors")
    }

    @Test func wholeChatTemplates() throws {
        let file = try JSON.parse(readWholeFile(Fixtures.path("templates/vectors.json")))
        let settings = RenderSettings(now: TemplateTime(try #require(file["time"]?.string)))
        let conversations = try #require(file["conversations"]), tokens = try #require(file["tokens"]?.object)
        let chats = try #require(file["chats"]?.object)
        #expect(chats.count == 5)
        for chat in chats {
            let template = try Template(readWholeFile(Fixtures.path("templates/\(chat.key)")), name: chat.key.description)
            let rows = try #require(chat.value.object)
            #expect(rows.count == 12)
            for row in rows {
                let conversation = try Self.withThoughts(#require(conversations[row.key.description]))
                let text = try? Self.render(template, conversation, tokens, settings)
                #expect(text.map { Text($0.bytes) } == row.value["text"]?.text, "\(chat.key), \(row.key)")
            }
        }
    }

    /// As the reference hands reasoning to a template.
    private static func withThoughts(_ conversation: JSONValue) throws -> JSONValue {
        .object(try #require(conversation.object).map { member in
            guard member.key == "messages", let messages = member.value.array else { return member }
            return JSONMember(member.key, .array(messages.map { message in
                guard let thought = message["reasoning"], let members = message.object else { return message }
                return .object(members + [JSONMember("reasoning_content", thought), JSONMember("thinking", thought)])
            }))
        })
    }

    /// No filter, test, method or statement without a case.
    @Test func nothingIsLeftOut() throws {
        let file = try JSON.parse(readWholeFile(Fixtures.path("templates/vectors.json")))
        let sources = try #require(file["cases"]?.array).filter { $0["text"] != nil }.compactMap { $0["template"]?.string }.joined(separator: "\n")
        func words(after mark: String) -> Set<String> {
            Set(sources.split(separator: mark, omittingEmptySubsequences: false).dropFirst().map { part in
                String(part.drop { $0 == " " }.prefix { $0.isLetter || $0.isNumber || $0 == "_" || "=!<>".contains($0) })
            })
        }
        let filters = words(after: "|"), tests = words(after: " is ").union(words(after: " is not ")).union(words(after: "select('")), methods = words(after: "."), tags = words(after: "{%").union(words(after: "{%-"))
        for filter in Filter.allCases { #expect(filters.contains(filter.rawValue), "the filter \(filter.rawValue)") }
        for test in Test.allCases { #expect(tests.contains(test.rawValue), "the test \(test.rawValue)") }
        for method in StringMethod.allCases { #expect(methods.contains(method.rawValue), "\(method.rawValue) of strings") }
        for method in ["get", "items", "keys", "values", "copy", "count", "index"] { #expect(methods.contains(method)) }
        for tag in ["if", "elif", "else", "for", "set", "macro", "call", "filter", "with", "generation", "print", "break", "continue", "raw"] { #expect(tags.contains(tag), "{% \(tag) %}") }
    }

    /// 43 published templates on nine conversations each.
    @Test(.enabled(if: SharedFolder.has("templates/vectors.json"), "needs the shared folder's published templates"))
    func publishedTemplates() throws {
        let folder = try #require(SharedFolder.path("templates"))
        let file = try JSON.parse(readWholeFile(folder + "/vectors.json"))
        let settings = RenderSettings(now: TemplateTime("2024-07-26T12:00:00"))
        let variables = try #require(file["variables"]?.object).filter { $0.key != "strftime_now" }
        let conversations = try #require(file["cases"])
        let templates = try #require(file["templates"]?.object)
        var texts = 0, refusals = 0
        for (name, rows) in templates.map({ ($0.key.description, $0.value) }) {
            let template = try Template(readWholeFile(folder + "/" + name), name: name)
            for row in try #require(rows.object) {
                let conversation = try #require(conversations[row.key.description])
                guard let expected = row.value["text"]?.text else {
                    #expect(throws: (any Error).self, "\(name), \(row.key)") { try Self.render(template, conversation, variables, settings) }
                    refusals += 1
                    continue
                }
                do {
                    #expect(Text(try Self.render(template, conversation, variables, settings).bytes) == expected, "\(name), \(row.key)")
                } catch { Issue.record("\(name), \(row.key): \(error)") }
                texts += 1
            }
        }
        #expect(texts + refusals == templates.count * 9 && texts > 300, "\(texts) texts, \(refusals) refusals")
    }
}
