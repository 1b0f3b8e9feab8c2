import SystemIO

/// Token sequences that share beginnings, as one input: a prompt with its responses, a context with its continuations, or rows of their own.
///
/// Tokens stand in segments, each a run of `tokens`. A token attends to the tokens before it in its own segment and to every token of the segments that
/// it descends from. Nothing is padded, and what several branches share is computed once.
public struct TokenTree: Sendable, Equatable {
    public struct Segment: Sendable, Equatable {
        /// Where its tokens stand; segments follow each other without gaps.
        public var range: Range<Int>
        /// The segment it continues (an earlier one); nil begins a sequence.
        public var parent: Int?

        public init(range: Range<Int>, parent: Int?) {
            self.range = range
            self.parent = parent
        }
    }

    public internal(set) var tokens: [UInt32]
    /// The place of each token in its own sequence, from 0: what the rotary embedding sees.
    public internal(set) var positions: [UInt32]
    public internal(set) var segments: [Segment]

    public init() {
        tokens = []
        positions = []
        segments = []
    }

    /// A tree whose positions are given, as a packed bin carries them. Validated by `validate(for:)` before it is computed.
    public init(tokens: [UInt32], positions: [UInt32], segments: [Segment]) {
        self.tokens = tokens
        self.positions = positions
        self.segments = segments
    }

    /// One sequence.
    public init(_ tokens: [UInt32]) {
        self.init()
        append(tokens)
    }

    public var count: Int { tokens.count }

    /// Adds a segment whose positions continue its parent's (or begin at 0) and returns its number.
    @discardableResult
    public mutating func append(_ newTokens: some Sequence<UInt32>, after parent: Int? = nil) -> Int {
        let start = tokens.count
        tokens.append(contentsOf: newTokens)
        var position: UInt32 = 0
        if let parent, segments.indices.contains(parent) { position = nextPosition(after: parent) }
        for _ in start ..< tokens.count {
            positions.append(position)
            position &+= 1
        }
        segments.append(Segment(range: start ..< tokens.count, parent: parent))
        return segments.count - 1
    }

    /// The row whose prediction is the first token of a segment: the last token before it in its sequence. Nil at the beginning of a sequence.
    public func rowBefore(_ segment: Int) -> Int? {
        var ancestor = segments[segment].parent
        while let number = ancestor {
            if !segments[number].range.isEmpty { return segments[number].range.upperBound - 1 }
            ancestor = segments[number].parent
        }
        return nil
    }

    private func nextPosition(after segment: Int) -> UInt32 {
        if let last = segments[segment].range.last { return positions[last] &+ 1 }
        return rowBefore(segment).map { positions[$0] &+ 1 } ?? 0
    }

    /// Checks what the engine relies on.
    /// - Throws: `InputError` naming the token or segment.
    public func validate(for configuration: ModelConfiguration) throws {
        guard positions.count == tokens.count else { throw InputError("\(tokens.count) tokens with \(positions.count) positions") }
        var end = 0
        for (number, segment) in segments.enumerated() {
            guard segment.range.lowerBound == end else {
                throw InputError("segment \(number) begins at token \(segment.range.lowerBound); the one before ends at \(end)")
            }
            if let parent = segment.parent, parent < 0 || parent >= number {
                throw InputError("segment \(number) continues segment \(parent); expected an earlier one")
            }
            end = segment.range.upperBound
        }
        guard end == tokens.count else { throw InputError("the segments end at token \(end) of \(tokens.count)") }
        for (row, token) in tokens.enumerated() where Int(token) >= configuration.vocabularySize {
            throw InputError("token \(row) has id \(token); the model's vocabulary has \(configuration.vocabularySize): was another tokenizer used?")
        }
        for (row, position) in positions.enumerated() where Int(position) >= configuration.contextLength {
            throw InputError("token \(row) stands at position \(position); the model's context is \(configuration.contextLength)")
        }
    }
}

/// Which predictions a forward pass returns: the log-probability of `targets[i]` as the token that follows row `rows[i]`.
public struct ScoredTokens: Sendable, Equatable {
    public internal(set) var rows: [Int]
    public internal(set) var targets: [UInt32]

    public init() {
        rows = []
        targets = []
    }

    public var count: Int { rows.count }

    public mutating func append(row: Int, target: UInt32) {
        rows.append(row)
        targets.append(target)
    }

    /// Every token of a segment given what stands before it. The first token of a sequence has nothing before it and is left out.
    /// - Returns: the indices of these tokens among all scored ones.
    @discardableResult
    public mutating func append(segment: Int, of tree: TokenTree) -> Range<Int> {
        let start = count
        let range = tree.segments[segment].range
        if range.isEmpty { return start ..< start }
        if let before = tree.rowBefore(segment) { append(row: before, target: tree.tokens[range.lowerBound]) }
        for row in range.lowerBound ..< range.upperBound - 1 { append(row: row, target: tree.tokens[row + 1]) }
        return start ..< count
    }

    func validate(for tree: TokenTree, vocabularySize: Int) throws {
        for (index, row) in rows.enumerated() where row < 0 || row >= tree.count {
            throw InputError("scored token \(index) follows row \(row) of \(tree.count)")
        }
        for (index, target) in targets.enumerated() where Int(target) >= vocabularySize {
            throw InputError("scored token \(index) has id \(target); the model's vocabulary has \(vocabularySize)")
        }
    }
}
