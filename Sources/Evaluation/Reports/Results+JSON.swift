import JSON
import RunDatabase

/// The stable form of figures for `--json`: null stands for what is not known.
extension EvaluationResult {
    public var json: JSONValue {
        .object([
            ("task", .string(task)), ("metric", .string(metric)), ("split", .string(split)), ("dimension", .string(dimension)), ("value", .finite(value)),
            ("stderr", .finite(standardError)), ("low", .finite(low)), ("high", .finite(high)), ("chance", .finite(chance)), ("n", JSONValue(count)),
            ("reading", .string(Reading(self).rawValue)),
        ])
    }
}

extension Run {
    public var json: JSONValue {
        .object([
            ("id", .integer(id)), ("command", .string(description.command)), ("label", .string(description.label)), ("status", .string(RunState(self).rawValue)),
            ("started", .string(started)), ("finished", finished.map { .string($0) } ?? .null), ("model", .string(description.modelDigest)),
            ("data", .string(description.dataDigest)), ("seed", description.seed.map { .string(String($0)) } ?? .null),
            ("options", (try? JSON.parse(description.options)) ?? .null), ("machine", (try? JSON.parse(description.machine)) ?? .null),
        ])
    }
}

extension JSONValue {
    /// A number, or null for none, NaN and the infinities, which JSON lacks.
    public static func finite(_ value: Double?) -> JSONValue {
        guard let value, value.isFinite else { return .null }
        return .number(value)
    }
}
