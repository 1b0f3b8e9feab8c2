import ArgumentParser
import CommandSupport
import JSON
import Jinja
import ModelFiles
import SystemIO

/// What a chat template is told beside the conversation.
struct VariableOptions: ParsableArguments {
    @Option(name: .customLong("vars"), help: ArgumentHelp("Variables of the template, as a JSON object: '{\"enable_thinking\": false}'.", valueName: "json"))
    var variablesText: String?

    @Option(name: .long, help: ArgumentHelp("The time that a template which asks for it is told: 2024-07-26 or 2024-07-26T12:00:00. (default: it finds none)", valueName: "time"))
    var date: String?

    func validate() throws {
        if let date, TemplateTime(date) == nil { throw ValidationError("--date takes a day as 2024-07-26, or a day and a time as 2024-07-26T12:00:00") }
        _ = try given()
    }

    var settings: RenderSettings { RenderSettings(now: date.flatMap { TemplateTime($0) }) }

    /// The tokens that the model's files name, then what the command line sets.
    func variables(_ tokens: [(name: String, text: String)]) throws -> [JSONMember] {
        let given = try given()
        return tokens.filter { token in !given.contains { $0.key == token.name } }.map { JSONMember(Text($0.name), .string($0.text)) } + given
    }

    private func given() throws -> [JSONMember] {
        guard let variablesText else { return [] }
        guard let members = try? JSON.parse(variablesText, limits: JSONLimits(refusesDuplicateKeys: true)).object else {
            throw ValidationError("--vars takes a JSON object, each key once, as '{\"enable_thinking\": false}'")
        }
        for member in members where member.key == "messages" || member.key == "add_generation_prompt" {
            throw ValidationError("--vars cannot set \(member.key): it comes with the conversation")
        }
        return members
    }
}
