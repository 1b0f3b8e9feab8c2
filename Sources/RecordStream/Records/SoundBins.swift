extension PackedBin {
    /// As `RatedRecord.isSound`; says no to every bin with a cut prompt.
    static func isSound(_ block: Block, _ record: Int) -> Bool { SoundBin(block.columns, record)?.isSound ?? false }
}

/// A bin where it lies in its block.
private struct SoundBin {
    private let columns: [ColumnArrays]
    private let positions, starts, records, labels: UnsafeBufferPointer<UInt32>
    private let parents, responses: UnsafeBufferPointer<Int32>
    private let tokenCount, memberCount: Int
    /// For each column of its members which lists are theirs.
    private let members: [Range<Int>]

    /// Nil where its columns cannot be one bin.
    init?(_ columns: [ColumnArrays], _ record: Int) {
        func list<Value: BitwiseCopyable>(_ column: Int) -> UnsafeBufferPointer<Value> { columns[column].values(columns[column].range(record)) }
        self.columns = columns
        (positions, starts, records, labels) = (list(1), list(2), list(4), list(6))
        (parents, responses) = (list(3), list(5))
        tokenCount = columns[0].range(record).count
        members = columns.indices.dropFirst(PackedBin.firstMemberColumn).map { columns[$0].range(record) }
        memberCount = members[0].count
        let segments = starts.count - 1
        guard parents.count == segments, records.count == segments, responses.count == segments, labels.count == segments,
              members.prefix(PackedBin.gapColumn - PackedBin.firstMemberColumn).allSatisfy({ $0.count == members[0].count }) else { return nil }
    }

    /// Member `member`'s values in a column of depth 2.
    private func values(_ column: Int, _ member: Int) -> Range<Int> {
        columns[column].innerRange(members[column - PackedBin.firstMemberColumn].lowerBound + member)
    }

    private func responseCount(_ member: Int) -> Int { values(16, member).count }

    var isSound: Bool {
        guard starts[0] == 0, positions.count == tokenCount, Int(starts[starts.count - 1]) == tokenCount,
              starts.indices.dropFirst().allSatisfy({ starts[$0 - 1] < starts[$0] }) else { return false }
        return eachResponseStandsOnce && parents.indices.allSatisfy(segmentIsSound) && (0 ..< memberCount).allSatisfy(memberIsSound) && nothingIsCut
    }

    private var eachResponseStandsOnce: Bool {
        let all = (0 ..< memberCount).reduce(0) { $0 + responseCount($1) }
        return withUnsafeTemporaryAllocation(of: Int32.self, capacity: memberCount + all) { scratch in
            // For each member where its responses start in the second part; there for each response whether it was seen.
            scratch.initialize(repeating: 0)
            var next = memberCount
            for member in 0 ..< memberCount {
                scratch[member] = Int32(truncatingIfNeeded: next)
                next += responseCount(member)
            }
            var seen = 0
            for segment in parents.indices where responses[segment] != -1 {
                let record = Int(records[segment]), response = Int(responses[segment])
                guard record < memberCount, response >= 0, response < responseCount(record) else { return false }
                let place = Int(scratch[record]) + response
                guard scratch[place] == 0 else { return false }
                scratch[place] = 1
                seen += 1
            }
            return seen == all
        }
    }

    private func segmentIsSound(_ segment: Int) -> Bool {
        let start = starts[segment], end = starts[segment + 1], parent = Int(parents[segment]), label = labels[segment]
        guard Int(records[segment]) < memberCount, parent < segment, parent >= -1, label >= start, label <= end, parent >= 0 || label > start else { return false }
        var first: UInt32 = 0
        if parent >= 0 {
            let (next, overflow) = positions[Int(starts[parent + 1]) - 1].addingReportingOverflow(1)
            guard records[parent] == records[segment], !overflow else { return false }
            first = next
        }
        guard !first.addingReportingOverflow(end - start - 1).overflow else { return false }
        // Without a branch a token, so that the compiler takes many at once.
        var wrong: UInt32 = 0
        for at in start ..< end { wrong |= positions[Int(at)] ^ (first &+ (at &- start)) }
        return wrong == 0
    }

    private func memberIsSound(_ member: Int) -> Bool {
        let responses = responseCount(member), cuts = values(15, member).count, targets = values(14, member)
        guard cuts == 1 || cuts == responses,
              Ratings.areSound(columns, 11, values(11, member), values(12, member), values(13, member), targets, responses: responses) else { return false }
        let map: UnsafeBufferPointer<UInt32> = columns[17].values(values(17, member)), shares: UnsafeBufferPointer<Float> = columns[18].values(values(18, member))
        func holds(_ segment: UInt32) -> Bool { segment < parents.count && records[Int(segment)] == member && self.responses[Int(segment)] >= 0 }
        guard !shares.isEmpty else {
            return map.count % 2 == 0 && map.allSatisfy(holds) && (0 ..< map.count / 2).allSatisfy { map[2 * $0] != map[2 * $0 + 1] }
        }
        return map.count == targets.count && shares.count == map.count && shares.allSatisfy(\.isFinite)
            && map.indices.allSatisfy { holds(map[$0]) && Int(self.responses[Int(map[$0])]) == $0 % responses }
    }

    /// Whether gaps, where there are any, stand for no tokens, and nor do cuts of prompts.
    private var nothingIsCut: Bool {
        guard columns.count > PackedBin.gapColumn, let gaps = members.last else { return true }
        let cuts = columns[15].all(of: members[15 - PackedBin.firstMemberColumn], columns[15].inner)
        return gaps.count == cuts.count && columns[PackedBin.gapColumn].all(of: gaps, columns[PackedBin.gapColumn].inner).isEmpty
            && columns[15].values(cuts, as: UInt32.self).allSatisfy { $0 == 0 }
    }
}
