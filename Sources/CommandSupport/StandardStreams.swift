import ArgumentParser
import Glibc
import SystemIO

/// `-` means standard input or output only where an option's help says so; elsewhere it would be taken for the name of a file.
public func refuseDash(_ options: [(name: String, value: String?)]) throws {
    for option in options where option.value == "-" {
        throw ValidationError("\(option.name) takes a path, and - (standard input or output) is none; a file of that name is ./-")
    }
}

/// Standard input can be read once: refuses it for two operands or options of one command.
public func refuseSharedInput(_ operands: [(name: String, value: String?)]) throws {
    let readers = operands.filter { $0.value == "-" }
    if readers.count > 1 { throw ValidationError("\(readers[0].name) and \(readers[1].name) cannot both be standard input") }
}

/// Standard input at a terminal is refused, because nobody types records.
public func refuseTerminalInput() throws {
    guard isatty(STDIN_FILENO) == 0 else {
        throw InputError("no input: name a file, or join a command that writes one with |", status: .usage)
    }
}
