import SystemIO

extension PackedBin {
    /// Holds a bin to what computation relies on: segments fill it in order, parents come first and belong to the same record, every response has
    /// exactly one segment, every label has a token before it that predicts it, positions count on from the parent's.
    public func validate() throws {
        var end: UInt32 = 0
        for segment in segments {
            guard segment.start == end, segment.end > end else { throw InputError("the segments do not fill the bin's \(tokens.count) tokens in order") }
            end = segment.end
        }
        guard positions.count == tokens.count, tokens.count == Int(end) else {
            throw InputError("\(tokens.count) tokens with \(positions.count) positions in segments that end at \(end)")
        }
        var seen = members.map { [Bool](repeating: false, count: $0.responseCount) }
        for (number, segment) in segments.enumerated() {
            do { try check(segment, number, &seen) } catch let error as InputError { throw error.at("segment \(number)") }
        }
        guard seen.allSatisfy({ $0.allSatisfy { $0 } }) else { throw InputError("a response without a segment") }
        // By number: a copy of a member takes as long as looking at it.
        for record in members.indices {
            let responses = members[record].responseCount, cuts = members[record].promptCuts.count
            try members[record].ratings.check(responses: responses)
            guard cuts == 1 || cuts == responses else { throw InputError("\(cuts) cuts of prompts for \(responses) responses, expected one for all or one each") }
        }
        try checkGaps()
        for record in members.indices where !members[record].rowMap.isEmpty || !members[record].piTarget.isEmpty {
            let member = members[record]
            guard !member.piTarget.isEmpty else {
                try checkPairs(member.rowMap, record)
                continue
            }
            guard member.rowMap.count == member.ratings.targets.count, member.piTarget.count == member.rowMap.count,
                member.piTarget.allSatisfy(\.isFinite)
            else { throw InputError("a row map of \(member.rowMap.count) rows for \(member.ratings.targets.count) targets") }
            for (row, segment) in member.rowMap.enumerated() {
                guard segment < segments.count, segments[Int(segment)].record == record, Int(segments[Int(segment)].response) == row % member.responseCount else {
                    throw InputError("row \(row) of record \(record) is mapped to segment \(segment), which does not hold its response")
                }
            }
        }
    }

    private func checkPairs(_ map: [UInt32], _ record: Int) throws {
        guard map.count % 2 == 0 else { throw InputError("pairs of \(map.count) segments") }
        for pair in 0 ..< map.count / 2 {
            let better = map[2 * pair], worse = map[2 * pair + 1]
            guard better != worse, [better, worse].allSatisfy({ $0 < segments.count && segments[Int($0)].record == record && segments[Int($0)].response >= 0 }) else {
                throw InputError("pair \(pair) of record \(record) is of segments \(better) and \(worse), expected two that hold responses of it")
            }
        }
    }

    private func check(_ segment: Segment, _ number: Int, _ seen: inout [[Bool]]) throws {
        guard segment.record < members.count else { throw InputError("it belongs to record \(segment.record) of \(members.count)") }
        let responses = members[Int(segment.record)].responseCount
        var firstPosition: UInt32 = 0
        if segment.parent >= 0 {
            guard segment.parent < number, case let parent = segments[Int(segment.parent)], parent.record == segment.record else {
                throw InputError("its parent \(segment.parent) does not come before it in the same record")
            }
            let (next, overflow) = positions[Int(parent.end) - 1].addingReportingOverflow(1)
            guard !overflow else { throw InputError("positions beyond the range of 32 bits") }
            firstPosition = next
        } else if segment.parent != -1 {
            throw InputError("its parent is \(segment.parent)")
        }
        // Without a branch a token, so that the compiler takes many at once; the place is looked for when there is one.
        let wrong = positions.withUnsafeBufferPointer { positions in
            (segment.start ..< segment.end).reduce(UInt32(0)) { $0 | (positions[Int($1)] ^ (firstPosition &+ ($1 &- segment.start))) }
        }
        guard wrong == 0, firstPosition.addingReportingOverflow(segment.end - segment.start - 1).overflow == false else {
            for (count, at) in (Int(segment.start) ..< Int(segment.end)).enumerated() where UInt64(positions[at]) != UInt64(firstPosition) + UInt64(count) {
                throw InputError("position \(positions[at]) at token \(at), expected \(UInt64(firstPosition) + UInt64(count))")
            }
            throw InputError("positions beyond the range of 32 bits")
        }
        // Whatever it holds: nothing would predict the first token of a sequence.
        guard segment.labelStart >= segment.start, segment.labelStart <= segment.end, segment.parent >= 0 || segment.labelStart > segment.start else {
            throw InputError("labels from token \(segment.labelStart), with nothing before them to predict them from")
        }
        guard segment.response != -1 else { return }
        guard segment.response >= 0, segment.response < responses, !seen[Int(segment.record)][Int(segment.response)] else {
            throw InputError("response \(segment.response) of \(responses), or one that stands twice")
        }
        seen[Int(segment.record)][Int(segment.response)] = true
    }
}
