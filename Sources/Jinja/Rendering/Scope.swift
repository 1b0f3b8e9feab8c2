/// The names that a part of a template gives values to, and the part around it.
final class Scope {
    private var parent: Scope?
    private let depth: Int
    private var ids: [NameID] = []
    private var values: [Value] = []

    init(parent: Scope? = nil) throws {
        self.parent = parent
        depth = (parent?.depth ?? 0) + 1
        guard depth <= Budget.greatestDepth else { throw TemplateFailure("more than \(Budget.greatestDepth) macros made inside one another") }
    }

    func own(_ id: NameID) -> Value? {
        for index in ids.indices where ids[index] == id { return values[index] }
        return nil
    }

    func find(_ id: NameID) -> Value? {
        var scope = self
        while true {
            if let value = scope.own(id) { return value }
            guard let parent = scope.parent else { return nil }
            scope = parent
        }
    }

    func set(_ id: NameID, _ value: Value) {
        for index in ids.indices where ids[index] == id {
            values[index] = value
            return
        }
        ids.append(id)
        values.append(value)
    }

    /// Lets go of everything: names may hold macros that hold the scope.
    func close() {
        parent = nil
        values = []
        ids = []
    }
}
