/// Names of outputs that are written together: a % stands where the part's own name or number goes, as in `part-%.uf`.
public struct PartNames: Sendable, Equatable {
    private let before: String, after: String

    /// Nil when `pattern` has not just one %.
    public init?(_ pattern: String) {
        let halves = pattern.split(separator: "%", omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        (before, after) = (String(halves[0]), String(halves[1]))
    }

    public subscript(_ part: String) -> String { before + part + after }

    /// Three digits at least, so that names sort as the numbers do.
    public subscript(_ part: Int) -> String {
        let digits = String(part)
        return self[String(repeating: "0", count: max(0, 3 - digits.count)) + digits]
    }
}
