import SystemIO

/// What a rendering depends on beside the template and its variables.
public struct RenderSettings: Sendable {
    /// What `strftime_now` tells; without it that function is undefined, and templates that can do without fall back on what they have.
    public var now: TemplateTime?

    public init(now: TemplateTime? = nil) { self.now = now }
}

/// A chat template: the part of the Jinja language that models' templates are written in, with Python's values, as transformers runs them
/// (`trim_blocks`, `lstrip_blocks`, loop controls, `generation` blocks, `tojson`, `raise_exception`), in a sandbox: a template changes nothing but its own
/// namespaces, and its steps, text and nesting are bounded.
///
/// Read once, it renders any number of conversations, from several threads too.
public final class Template: Sendable {
    /// For messages.
    public let name: String
    private let source: [UInt8]
    private let statements: [Statement]
    private let names: [String]
    private let numbers: [String: NameID]
    /// The language's functions that it mentions.
    private let functions: [(NameID, GlobalFunction)]

    /// The largest source.
    public static let greatestSource = 4 << 20

    /// - Throws: `InputError` with name, line and column for what is no template, or uses what is not supported.
    public init(_ source: [UInt8], name: String) throws(InputError) {
        guard source.count <= Template.greatestSource else {
            throw InputError("\(name): \(source.count) bytes, expected a chat template of at most \(Template.greatestSource)")
        }
        guard String(validating: source, as: UTF8.self) != nil else { throw InputError("\(name): not UTF-8; a chat template is text") }
        self.name = name
        let normalized = Lexer.normalized(source)
        self.source = normalized
        do {
            var lexer = Lexer(normalized)
            var parser = Parser(try lexer.run())
            statements = try parser.parseTemplate()
            names = parser.names
            let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, NameID(index: Int32($0))) })
            functions = GlobalFunction.allCases.compactMap { function in numbers[function.rawValue].map { ($0, function) } }
            self.numbers = numbers
        } catch {
            throw Template.located(error, name, normalized, 0)
        }
    }

    /// Whether the template mentions a name anywhere.
    public func mentions(_ name: String) -> Bool { numbers[name] != nil }

    /// The text that the template makes of the variables.
    /// - Throws: `InputError` with name, line and column when the template fails or refuses, or goes beyond its bounds.
    public func render(_ variables: [(name: String, value: Value)], settings: RenderSettings = RenderSettings()) throws(InputError) -> MarkedText {
        var place = 0
        do {
            let globals = try Scope()
            for (number, function) in functions where function != .now || settings.now != nil { globals.set(number, .callable(Callable(.function(function)))) }
            for (name, value) in variables {
                if let number = numbers[name] { globals.set(number, value) }
            }
            let interpreter = try Interpreter(names: names, settings: settings, globals: globals, inputBytes: variables.reduce(0) { $0 + $1.value.byteCount })
            defer { place = interpreter.place }
            return try interpreter.run(statements)
        } catch {
            throw Template.located(error, name, source, place)
        }
    }

    /// What the template makes of placeholders, or how it fails, and under which demands it makes the same of contents; nil where it is another text for other contents, as far as can be told.
    ///
    /// - Parameter variables: all their strings are of the origin `.template`, but for those of `Placeholders.text`.
    public func outline(_ variables: [(name: String, value: Value)], settings: RenderSettings = RenderSettings()) -> (result: Result<MarkedText, InputError>, demands: [ContentDemand])? {
        Placeholders.watch { () throws(InputError) in try render(variables, settings: settings) }
    }

    private static func located(_ error: any Error, _ name: String, _ source: [UInt8], _ place: Int) -> InputError {
        guard let failure = error as? TemplateFailure else { return InputError("\(name): \(error)", status: .internalError) }
        let before = source.prefix(failure.place ?? place)
        let line = before.count { $0 == 0x0A } + 1
        let column = before.suffix(from: before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0).count { $0 & 0xC0 != 0x80 } + 1
        return InputError("\(name): line \(line), column \(column): \(failure.message)")
    }
}

extension Value {
    /// Bytes of all strings inside.
    var byteCount: Int {
        switch self {
        case .string(let text): text.knownBytes
        case .sequence(let items): items.elements.reduce(0) { $0 + $1.byteCount }
        case .dictionary(let mapping): mapping.keys.reduce(0) { $0 + $1.byteCount } + mapping.values.reduce(0) { $0 + $1.byteCount }
        default: 0
        }
    }
}
