import SystemIO

extension PackedBin {
    /// Where truncation took tokens out of a prompt.
    public struct Gap: Sendable, Equatable {
        /// How many of the prompt's remaining tokens come before it: from 0 to all of them.
        public var at: UInt32
        /// How many tokens are missing there; at least 1.
        public var tokens: UInt32

        public init(at: UInt32, tokens: UInt32) {
            self.at = at
            self.tokens = tokens
        }
    }

    /// With the gaps of every prompt: place and number of tokens of each, prompt by prompt in the order of `prompt_cuts`.
    public static let schemaWithGaps = Schema(kind: schema.kind, columns: schema.columns + [Column("prompt_gaps", .u32, depth: 2)])

    public static let schemas = [schema, schemaWithGaps]

    static let gapColumn = schema.columns.count

    static func hasGaps(_ schema: Schema) -> Bool { schema.columns.count > gapColumn }

    func appendGaps(to builder: BlockBuilder) {
        let prompts = members.flatMap { member in
            guard let gaps = member.promptGaps else { preconditionFailure("cuts without their places, for a stream that keeps them") }
            return gaps
        }
        builder.add(lists: prompts.map { $0.flatMap { [$0.at, $0.tokens] } }, to: PackedBin.gapColumn)
    }

    static func readGaps(_ block: Block, _ record: Int, into members: inout [Member]) throws {
        let lists: [[UInt32]] = block.lists(gapColumn, record), prompts = members.reduce(0) { $0 + $1.promptCuts.count }
        guard lists.count == prompts else { throw InputError("gaps of \(lists.count) prompts, expected \(prompts), a list for each number in prompt_cuts") }
        if let odd = lists.first(where: { $0.count % 2 != 0 }) {
            throw InputError("the gaps of a prompt are \(odd.count) numbers, expected a place and a count each")
        }
        var rest = lists[...]
        for number in members.indices {
            let own = rest.prefix(members[number].promptCuts.count)
            members[number].promptGaps = own.map { list in stride(from: 0, to: list.count, by: 2).map { Gap(at: list[$0], tokens: list[$0 + 1]) } }
            rest = rest.dropFirst(own.count)
        }
    }

    /// Holds the gaps of every prompt to its length and to what was cut from it. The bin is sound otherwise.
    func checkGaps() throws {
        for record in members.indices {
            guard let prompts = members[record].promptGaps else { continue }
            let cuts = members[record].promptCuts
            guard prompts.count == cuts.count else { throw InputError("record \(record) has gaps of \(prompts.count) prompts, and cuts of \(cuts.count)") }
            for (number, gaps) in prompts.enumerated() where !gaps.isEmpty || cuts[number] > 0 {
                let length = promptLength(record, response: cuts.count == 1 ? nil : number)
                guard gaps.allSatisfy({ $0.at <= length }), zip(gaps, gaps.dropFirst()).allSatisfy({ $0.at < $1.at }) else {
                    throw InputError("the gaps in prompt \(number) of record \(record) do not lie in order within its \(length) tokens")
                }
                guard gaps.allSatisfy({ $0.tokens > 0 }), gaps.reduce(0, { $0 + UInt64($1.tokens) }) == cuts[number] else {
                    throw InputError(
                        "the gaps in prompt \(number) of record \(record) are of \(gaps.map(\.tokens)) tokens, "
                            + "expected numbers from 1 whose sum is that of prompt_cuts, \(cuts[number])")
                }
            }
        }
    }

    /// How many tokens a response's sequence has before it; of all responses of the record together the fewest.
    private func promptLength(_ record: Int, response: Int?) -> UInt32 {
        segments.lazy.filter { $0.record == record && $0.response >= 0 && (response == nil || $0.response == response!) }
            .map { positions[Int($0.start)] + ($0.labelStart - $0.start) }.min() ?? 0
    }
}
