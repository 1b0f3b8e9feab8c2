import JSON

/// The ids of a token record in the making, in memory that serves one record after another; `TokensRecord` keeps the same in lists of their own.
public struct TokensDraft {
    /// All prompts one behind the other, and where each ends.
    public var prompts: [UInt32] = [], promptEnds: [Int] = []
    /// Where turns start, counted from the start of their prompt, those of one prompt behind those of the other.
    public var turnStarts: [UInt32] = [], turnStartEnds: [Int] = []
    /// For each prompt.
    public var roles: [[Text]] = []
    public var responses: [UInt32] = [], responseEnds: [Int] = []

    public init() {}

    public mutating func removeAll() {
        prompts.removeAll(keepingCapacity: true)
        promptEnds.removeAll(keepingCapacity: true)
        turnStarts.removeAll(keepingCapacity: true)
        turnStartEnds.removeAll(keepingCapacity: true)
        roles.removeAll(keepingCapacity: true)
        responses.removeAll(keepingCapacity: true)
        responseEnds.removeAll(keepingCapacity: true)
    }

    /// Adds the columns that a rated record does not have to a builder of `TokensRecord.schema`.
    public func appendIDs(to builder: BlockBuilder) {
        builder.add(flat: prompts, ends: promptEnds, to: 8)
        builder.add(flat: turnStarts, ends: turnStartEnds, to: 9)
        builder.add(nameLists: roles, to: 10)
        builder.add(flat: responses, ends: responseEnds, to: 11)
    }
}
