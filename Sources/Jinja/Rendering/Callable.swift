/// What can be called.
public final class Callable {
    enum Kind {
        case function(GlobalFunction)
        /// A method and what it belongs to.
        case method(Value, String)
        case macro(MacroDefinition, Scope)
        /// `loop`, called in a recursive loop.
        case loop(Loop)
        case joiner(Joiner)
    }

    let kind: Kind

    init(_ kind: Kind) { self.kind = kind }

    /// As of `Items`.
    var height: Int {
        switch kind {
        case .method(let owner, _): 1 + owner.height
        case .loop(let loop): 1 + loop.height
        default: 0
        }
    }
}

/// The functions that every template has.
enum GlobalFunction: String, CaseIterable {
    case range, dict, namespace, cycler, joiner
    case raiseException = "raise_exception"
    /// Only where the caller set a time: a rendered text does not depend on the clock.
    case now = "strftime_now"
}

/// The values of a call.
struct CallValues {
    var positional: [Value] = []
    var named: [(name: String, value: Value)] = []

    /// The values for parameters by their names, nil where the call gives none.
    /// - Throws: for more values than parameters, names that are none, and values given twice.
    func bound(to parameters: String..., for function: String) throws -> [Value?] {
        guard positional.count <= parameters.count else {
            throw TemplateFailure("\(function) takes at most \(parameters.count) arguments, found \(positional.count)")
        }
        var values: [Value?] = positional
        values += [Value?](repeating: nil, count: parameters.count - positional.count)
        for (name, value) in named {
            guard let index = parameters.firstIndex(of: name) else { throw TemplateFailure("\(function) has no argument named \(name)") }
            guard values[index] == nil else { throw TemplateFailure("\(function) is given \(name) twice") }
            values[index] = value
        }
        return values
    }

    func requireNone(for function: String) throws { _ = try bound(for: function) }

    /// For functions that take only values without names.
    func requirePositional(_ range: ClosedRange<Int>, for function: String) throws {
        guard named.isEmpty, range.contains(positional.count) else {
            let wanted = range.lowerBound == range.upperBound ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
            throw TemplateFailure("\(function) takes \(wanted) arguments without names, found \(positional.count + named.count)")
        }
    }
}
