import JSON
import TestSupport
import Testing

let allCommands = ["uf-convert", "uf-tokenize", "uf-pack", "uf-train", "uf-eval", "uf-records"]

@Suite struct HelpTests {
    @Test(arguments: allCommands) func everyCommandExplainsItself(command: String) throws {
        let help = Command.shell("\(command) --help", in: "/")
        let text = String(decoding: help.output, as: UTF8.self)
        #expect(help.status == 0 && help.errors.isEmpty)
        #expect(text.contains("EXAMPLES") && text.contains("EXIT STATUS"), "\(command) --help")
        let version = Command.shell("\(command) --version", in: "/")
        #expect(version.status == 0 && String(decoding: version.output, as: UTF8.self) == "0.1.0\n")
        #expect(Command.shell("\(command) --no-such-option", in: "/").status == 64)
    }

    /// What nobody could read is no success.
    @Test(arguments: allCommands) func lostHelpIsTold(command: String) {
        for option in ["--help", "--version", "--generate-completion-script bash"] {
            let outcome = Command.shell("\(command) \(option) > /dev/full", in: "/")
            #expect(outcome.status == 74 && outcome.errors == "\(command): standard output: writing failed at byte 0: No space left on device\n", "\(option): \(outcome.status): \(outcome.errors)")
        }
    }

    /// Every subcommand and every option says what it is for.
    @Test(arguments: allCommands) func everyOptionIsDocumented(command: String) throws {
        let dump = Command.shell("\(command) --experimental-dump-help", in: "/")
        let root = try #require(try JSON.parse(dump.output)["command"])
        var pending = [(command, root)]
        while let (name, value) = pending.popLast() {
            #expect(value["abstract"]?.string?.isEmpty == false, "\(name) has no abstract")
            for argument in value["arguments"]?.array ?? [] {
                let option = argument["valueName"]?.string ?? "?"
                #expect(argument["abstract"]?.string?.isEmpty == false, "\(name): \(option) has no help")
            }
            for sub in value["subcommands"]?.array ?? [] where sub["commandName"]?.string != "help" {
                pending.append((name + " " + (sub["commandName"]?.string ?? "?"), sub))
            }
        }
    }

    @Test(arguments: allCommands) func completionsForEveryShell(command: String) {
        for shell in ["bash", "zsh", "fish"] {
            let script = Command.shell("\(command) --generate-completion-script \(shell)", in: "/")
            #expect(script.status == 0 && script.output.count > 200, "\(command), \(shell)")
        }
    }
}
