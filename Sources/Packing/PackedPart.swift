import RecordStream

/// A record on its way into a bin: where it lies, and what of it goes there.
struct PackedPart {
    let record: Int
    let columns: TokensColumns
    /// Of what goes into the bin.
    let shape: RecordShape
    /// The responses by their numbers, with ratings of them alone; nil: all of them. Only where the record has a single prompt.
    var responses: [Int]?
    var ratings: Ratings?
    var pairs: [ResponsePair] = []
    /// What was taken from it before it came to lie there; nil: nothing.
    var cuts: (gaps: [[PackedBin.Gap]], responses: [UInt32])?

    init(_ record: Int, of columns: TokensColumns, _ shape: RecordShape) {
        self.record = record
        self.columns = columns
        self.shape = shape
    }

    /// - Parameters:
    ///   - shape: the record's.
    ///   - builder: as for `TokensColumns`: one serves one part after another.
    init(_ fitted: FittedRecord, _ shape: RecordShape, in builder: BlockBuilder) {
        self.init(0, of: TokensColumns(fitted.record, in: builder), shape)
        pairs = fitted.pairs
        if fitted.isCut { cuts = (fitted.promptGaps, fitted.responseCuts.map { UInt32($0) }) }
    }

    /// With some of its responses.
    init(_ record: Int, of columns: TokensColumns, _ shape: RecordShape, keeping kept: [Int], pairs: [ResponsePair]) {
        var part = shape
        part.responses = kept.map { shape.responses[$0] }
        self.init(record, of: columns, part)
        responses = kept
        ratings = columns.ownRatings(record).keeping(kept, of: shape.responses.count)
        self.pairs = pairs
    }

    var dimensionCount: Int { columns.ratings(record).dimensionCount }

    func tokens(in layout: PackedLayout) -> Int { shape.tokens(in: layout) }

    func storedBytes(in layout: PackedLayout) -> Int {
        let gaps = cuts?.gaps.reduce(0) { $0 + $1.count } ?? 0
        return shape.storedBytes(in: layout, names: columns.id(record).count + columns.nameBytes(record), dimensions: dimensionCount, numbers: pairs.count + gaps)
    }

    /// The number of the prompt that a response answers.
    fileprivate func promptNumber(_ response: Int) -> Int { shape.prompts.count == 1 ? 0 : response }
    fileprivate func prompt(of response: Int) -> UnsafeBufferPointer<UInt32> { columns.prompt(promptNumber(response), of: record) }
    fileprivate func response(_ number: Int) -> UnsafeBufferPointer<UInt32> { columns.response(responses?[number] ?? number, of: record) }
}

extension PackedDraft {
    /// Adds a record to the bin.
    ///
    /// - Parameter paperEpsilon: what rows16 adds to every target of `piTarget`.
    func add(_ part: PackedPart, layout: PackedLayout, paperEpsilon: Double = 0) {
        var details = MemberDetails()
        details.cuts = part.cuts
        part.columns.withArrays {
            switch layout {
            case .sharedPrefix, .pairs: addBranches(part, &details)
            case .sft: addConversations(part)
            case .rows16: addRows(part, paperEpsilon: paperEpsilon, &details)
            }
            endMember(part.record, of: part.columns, prompts: part.shape.prompts.count, responses: part.shape.responses.count, ratings: part.ratings, details)
        }
    }

    /// What the prompts share once, then as its continuation each response, after what is left of its own prompt.
    private func addBranches(_ part: PackedPart, _ details: inout MemberDetails) {
        let shared = part.shape.shared, parent = shared == 0 ? -1 : Int32(segmentCount)
        if shared > 0 {
            let start = tokenCount
            add(part.prompt(of: 0)[..<shared], from: 0)
            endSegment(from: start, parent: -1, response: -1, labelStart: tokenCount)
        }
        for number in part.shape.responses.indices {
            let start = tokenCount, prompt = part.prompt(of: number)
            add(prompt[shared...], from: shared)
            let labels = tokenCount
            add(part.response(number)[...], from: prompt.count)
            endSegment(from: start, parent: parent, response: Int32(number), labelStart: labels)
        }
        let first = segmentCount - part.shape.responses.count
        details.rowMap = part.pairs.flatMap { [UInt32(first + $0.better), UInt32(first + $0.worse)] }
    }

    /// Each prompt as a chain of segments that end with its earlier answers, then the responses to it: a single one in the chain's last segment, several as its branches.
    private func addConversations(_ part: PackedPart) {
        let all = part.shape.responses.indices, isShared = part.shape.prompts.count == 1 && all.count > 1
        for number in isShared ? 0 ..< 1 : all {
            let prompt = part.prompt(of: number), answers = part.columns.answerBounds(part.promptNumber(number), of: part.record)
            var parent: Int32 = -1, done = 0
            /// The prompt's tokens up to `bound`, and a response; `labels` of them come before those to learn.
            func add(to bound: Int, labels: Int, response: Int = -1) {
                let start = tokenCount
                self.add(prompt[done ..< bound], from: done)
                if response >= 0 { self.add(part.response(response)[...], from: bound) }
                endSegment(from: start, parent: parent, response: Int32(response), labelStart: start + labels)
            }
            for answer in 0 ..< answers.count / 2 {
                let (start, end) = (Int(answers[2 * answer]), Int(answers[2 * answer + 1]))
                add(to: end, labels: start - done)
                (parent, done) = (Int32(segmentCount - 1), end)
            }
            let rest = prompt.count - done
            guard isShared else {
                add(to: prompt.count, labels: rest, response: number)
                continue
            }
            if rest > 0 {
                add(to: prompt.count, labels: rest)
                (parent, done) = (Int32(segmentCount - 1), prompt.count)
            }
            for response in all { add(to: done, labels: 0, response: response) }
        }
    }

    /// One row for each response, the prompt before it. Row N * dimension + response of the paper's tensors is the response's own row.
    private func addRows(_ part: PackedPart, paperEpsilon: Double, _ details: inout MemberDetails) {
        let first = UInt32(segmentCount)
        for number in part.shape.responses.indices {
            let start = tokenCount, prompt = part.prompt(of: number)
            add(prompt[...], from: 0)
            let labels = tokenCount
            add(part.response(number)[...], from: prompt.count)
            endSegment(from: start, parent: -1, response: Int32(number), labelStart: labels)
        }
        let targets = part.columns.ratings(part.record).targets, rows = UInt32(part.shape.responses.count)
        details.rowMap = targets.indices.map { first + UInt32($0) % rows }
        // The sum in double, rounded once: what the paper's code does when it makes a float32 tensor of its list.
        details.piTarget = targets.map { Float($0 + paperEpsilon) }
    }
}
