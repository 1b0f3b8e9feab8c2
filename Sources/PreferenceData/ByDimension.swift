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

    /// Reads `VALUE`, `NAME=VALUE,...` or both, as in `1,honesty=0.5`. Throws for a field that is none, and when a name or the value without a name stands twice.
    /// - Parameter value: reads one value.
    public init(_ text: String, others: Value, value: (String) throws(OptionFault) -> Value) throws(OptionFault) {
        self.init(others)
        var hasOthers = false
        for field in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let equals = field.lastIndex(of: "=") else {
                let value = try value(String(field))
                guard !hasOthers else { throw OptionFault("two values without a name, \(self.others) and \(value)") }
                (self.others, hasOthers) = (value, true)
                continue
            }
            let name = String(field[..<equals])
            guard !name.isEmpty else { throw OptionFault("\"\(field)\" has no name before its =") }
            guard !named.contains(where: { $0.name == name }) else { throw OptionFault("\(name) stands twice") }
            named.append((name, try value(String(field[field.index(after: equals)...]))))
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

    /// Reads `honesty,helpfulness=help`: these two, in this order, the second one renamed. Throws when a field is empty or a name stands twice on the same side.
    public init(_ text: String) throws(OptionFault) {
        var picks: [Pick] = []
        for field in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let source = sides.first, let name = sides.last, !source.isEmpty, !name.isEmpty else {
                throw OptionFault("\"\(field)\" is no dimension, expected NAME or NAME=NEW")
            }
            guard !picks.contains(where: { $0.source == source }) else { throw OptionFault("the dimension \(source) stands twice") }
            guard !picks.contains(where: { $0.name == name }) else { throw OptionFault("two dimensions would be called \(name)") }
            picks.append(Pick(source: source, name: name))
        }
        self.picks = picks
    }

    /// As provenance records it.
    public var description: String { picks.map { $0.source == $0.name ? $0.name : "\($0.source)=\($0.name)" }.joined(separator: ",") }
}
