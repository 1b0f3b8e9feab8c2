import JSON

/// A value for every dimension: one for all, or for those that are named and another for the rest.
public struct ByDimension<Value: Sendable & Equatable>: Sendable, Equatable {
    /// For the dimensions that are not named.
    public var others: Value
    public var named: [(name: String, value: Value)]

    public init(_ others: Value, named: [(name: String, value: Value)] = []) {
        self.others = others
        self.named = named
    }

    subscript(name: Text) -> Value { named.first { name == $0.name }?.value ?? others }

    /// Reads `VALUE`, `NAME=VALUE,...` or both, as in `1,honesty=0.5`.
    /// - Parameter value: reads one value; nil when it is none.
    /// - Returns: nil when a field is none, when a name or the value without a name stands twice.
    public init?(_ text: String, others: Value, value: (String) -> Value?) {
        self.init(others)
        var hasOthers = false
        for field in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let equals = field.lastIndex(of: "=") else {
                guard !hasOthers, let value = value(String(field)) else { return nil }
                (self.others, hasOthers) = (value, true)
                continue
            }
            let name = String(field[..<equals])
            guard !name.isEmpty, !named.contains(where: { $0.name == name }), let value = value(String(field[field.index(after: equals)...])) else { return nil }
            named.append((name, value))
        }
    }

    /// As provenance records it: what `init` reads as the same.
    func words(_ word: (Value) -> String?) -> String {
        ([word(others)].compactMap { $0 } + named.map { "\($0.name)=\(word($0.value) ?? "")" }).joined(separator: ",")
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.others == right.others && left.named.elementsEqual(right.named) { $0.name == $1.name && $0.value == $1.value }
    }
}

/// Which dimensions of the raw data to keep, in which order and under which names.
public struct DimensionChoice: Sendable, Equatable {
    public struct Pick: Sendable, Equatable {
        /// The name in the raw data.
        public var source: String
        /// The name in the stream.
        public var name: String
    }

    public let picks: [Pick]

    /// Reads `honesty,helpfulness=help`: these two, in this order, the second one renamed.
    /// - Returns: nil when a field is empty or a name stands twice on the same side.
    public init?(_ text: String) {
        var picks: [Pick] = []
        for field in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let source = sides.first, let name = sides.last, !source.isEmpty, !name.isEmpty else { return nil }
            guard !picks.contains(where: { $0.source == source || $0.name == name }) else { return nil }
            picks.append(Pick(source: source, name: name))
        }
        self.picks = picks
    }

    /// As provenance records it.
    public var description: String { picks.map { $0.source == $0.name ? $0.name : "\($0.source)=\($0.name)" }.joined(separator: ",") }
}
