import RecordStream

extension PackedBin {
    /// A bin of records, in their order.
    ///
    /// - Parameter paperEpsilon: what rows16 adds to every target of `piTarget`.
    init(_ records: [FittedRecord], layout: PackedLayout, paperEpsilon: Double = 0) {
        self.init(tokens: [], positions: [], segments: [], members: [])
        let count = records.reduce(0) { $0 + $1.tokens(in: layout) }
        tokens.reserveCapacity(count)
        positions.reserveCapacity(count)
        for fitted in records {
            switch layout {
            case .sharedPrefix: appendBranches(fitted)
            case .rows16: appendRows(fitted, paperEpsilon: paperEpsilon)
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
        for at in 0 ..< more.count { positions.append(UInt32(position + at)) }
    }
}

extension PackedBin.Member {
    fileprivate init(_ fitted: FittedRecord) {
        let record = fitted.record
        self.init(
            id: record.id, origin: record.origin, source: record.source, ratings: record.ratings, promptCuts: fitted.promptCuts.map { UInt32($0) },
            responseCuts: fitted.responseCuts.map { UInt32($0) })
    }
}
