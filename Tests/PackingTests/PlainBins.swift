import RecordStream

@testable import Packing

/// Bins laid out value by value: the plain version of what the packer writes into columns.
extension PackedBin {
    /// A bin of records, in their order.
    ///
    /// - Parameter paperEpsilon: what rows16 adds to every target of `piTarget`.
    init(_ records: [FittedRecord], layout: PackedLayout, paperEpsilon: Double = 0) {
        self.init(tokens: [], positions: [], segments: [], members: [])
        for record in records {
            switch layout {
            case .sharedPrefix, .pairs: appendBranches(record)
            case .sft: appendConversations(record)
            case .rows16: appendRows(record, paperEpsilon: paperEpsilon)
            }
        }
    }

    /// What the prompts share once, then as its continuation each response, after what is left of its own prompt.
    private mutating func appendBranches(_ fitted: FittedRecord) {
        let record = UInt32(members.count), shared = fitted.record.sharedPrompt
        let parent = shared.isEmpty ? -1 : Int32(segments.count)
        if !shared.isEmpty {
            append(shared, from: 0)
            segments.append(Segment(start: end - UInt32(shared.count), end: end, parent: -1, record: record, response: -1, labelStart: end))
        }
        for (number, response) in fitted.record.responses.enumerated() {
            let start = end, prompt = fitted.record.prompt(of: number)
            append(prompt[shared.count...], from: shared.count)
            let labels = end
            append(response[...], from: prompt.count)
            segments.append(Segment(start: start, end: end, parent: parent, record: record, response: Int32(number), labelStart: labels))
        }
        var member = Member(fitted)
        let first = UInt32(segments.count - member.responseCount)
        member.rowMap = fitted.pairs.flatMap { [first + UInt32($0.better), first + UInt32($0.worse)] }
        members.append(member)
    }

    /// Each prompt as a chain of segments that end with its earlier answers, then the responses to it: a single one in the chain's last segment, several as its branches.
    private mutating func appendConversations(_ fitted: FittedRecord) {
        let record = fitted.record, member = UInt32(members.count), isShared = record.prompts.count == 1 && record.responses.count > 1
        for number in isShared ? 0 ..< 1 : record.responses.indices {
            let prompt = record.prompts[record.prompts.count == 1 ? 0 : number]
            var parent: Int32 = -1, done = 0
            /// The prompt's tokens up to `bound`, and a response; `labels` of them come before those to learn.
            func add(to bound: Int, labels: Int, response: [UInt32] = [], number: Int32 = -1) {
                let start = end
                append(prompt.ids[done ..< bound], from: done)
                append(response[...], from: bound)
                segments.append(Segment(start: start, end: end, parent: parent, record: member, response: number, labelStart: start + UInt32(labels)))
            }
            for answer in prompt.answers {
                add(to: Int(answer.upperBound), labels: Int(answer.lowerBound) - done)
                (parent, done) = (Int32(segments.count - 1), Int(answer.upperBound))
            }
            let rest = prompt.ids.count - done
            guard isShared else {
                add(to: prompt.ids.count, labels: rest, response: record.responses[number], number: Int32(number))
                continue
            }
            if rest > 0 {
                add(to: prompt.ids.count, labels: rest)
                (parent, done) = (Int32(segments.count - 1), prompt.ids.count)
            }
            for (number, response) in record.responses.enumerated() { add(to: done, labels: 0, response: response, number: Int32(number)) }
        }
        members.append(Member(fitted))
    }

    /// One row for each response, the prompt before it. Row N * dimension + response of the paper's tensors is the response's own row.
    private mutating func appendRows(_ fitted: FittedRecord, paperEpsilon: Double) {
        let record = UInt32(members.count), first = UInt32(segments.count)
        for (number, response) in fitted.record.responses.enumerated() {
            let start = end, prompt = fitted.record.prompt(of: number)
            append(prompt[...], from: 0)
            let labels = end
            append(response[...], from: prompt.count)
            segments.append(Segment(start: start, end: end, parent: -1, record: record, response: Int32(number), labelStart: labels))
        }
        var member = Member(fitted)
        let rows = first ..< first + UInt32(member.responseCount)
        member.rowMap = member.ratings.dimensions.flatMap { _ in rows }
        // The sum in double, rounded once: what the paper's code does when it makes a float32 tensor of its list.
        member.piTarget = member.ratings.targets.map { Float($0 + paperEpsilon) }
        members.append(member)
    }

    private var end: UInt32 { UInt32(tokens.count) }

    private mutating func append(_ more: ArraySlice<UInt32>, from position: Int) {
        tokens += more
        positions += UInt32(position) ..< UInt32(position + more.count)
    }
}

extension PackedBin.Member {
    fileprivate init(_ fitted: FittedRecord) {
        self.init(
            id: fitted.record.id, origin: fitted.record.origin, source: fitted.record.source, ratings: fitted.record.ratings, promptCuts: fitted.promptCuts.map { UInt32($0) },
            promptGaps: fitted.promptGaps, responseCuts: fitted.responseCuts.map { UInt32($0) })
    }
}

extension TokensRecord {
    /// What all prompts begin with: the whole of a single one.
    fileprivate var sharedPrompt: ArraySlice<UInt32> {
        prompts.dropFirst().reduce(prompts[0].ids[...]) { shared, prompt in shared.prefix(zip(shared, prompt.ids).prefix { $0 == $1 }.count) }
    }
}

extension PackedBin {
    /// In which ratings that are not numbers equal each other.
    func isSame(as other: PackedBin) -> Bool {
        guard tokens == other.tokens, positions == other.positions, segments == other.segments, members.count == other.members.count else { return false }
        return zip(members, other.members).allSatisfy { one, two in
            var (one, two) = (one, two)
            guard one.ratings.ratings.map(\.bitPattern) == two.ratings.ratings.map(\.bitPattern) else { return false }
            (one.ratings.ratings, two.ratings.ratings) = ([], [])
            return one == two
        }
    }
}
