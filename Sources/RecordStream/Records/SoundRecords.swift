/// Whether a record keeps the rules of its kind, seen where it lies in its block. It is what `validate` says of a copy, in a fraction of the time; of what this says no to,
/// `validate` has the last word, and the words.
extension RatedRecord {
    static func isSound(_ block: Block, _ record: Int) -> Bool {
        let responses = block.range(6, record).count, systems = block.range(7, record).count, states = block.range(13, record)
        guard block.range(4, record).count == block.range(5, record).count, systems == 0 || systems == responses, block.range(8, record).count == responses,
              Ratings.areSound(block, record, at: 9, responses: responses), states.count == block.range(10, record).count else { return false }
        let values = block.values(13, as: UInt8.self)
        return states.allSatisfy { values[$0] < RatingState.allCases.count }
    }
}

extension TokensRecord {
    static func isSound(_ block: Block, _ record: Int) -> Bool {
        let responses = block.range(11, record).count, prompts = block.range(8, record), starts = block.range(9, record), roles = block.range(10, record)
        guard prompts.count == 1 || prompts.count == responses, starts.count == prompts.count, roles.count == prompts.count,
              Ratings.areSound(block, record, at: 4, responses: responses) else { return false }
        let values = block.values(9, as: UInt32.self)
        return prompts.indices.allSatisfy { prompt in
            let i = prompt - prompts.lowerBound, turns = block.innerRange(9, starts.lowerBound + i)
            guard turns.count == block.innerRange(10, roles.lowerBound + i).count + 1, Int(values[turns.upperBound - 1]) <= block.innerRange(8, prompt).count else { return false }
            return turns.dropFirst().allSatisfy { values[$0 - 1] <= values[$0] }
        } && (block.columns.count == 12 || answersAreSound(block.columns[12], block.columns[12].range(record), block.columns[8], prompts))
    }

    private static func answersAreSound(_ answers: ColumnArrays, _ lists: Range<Int>, _ ids: ColumnArrays, _ prompts: Range<Int>) -> Bool {
        lists.count == prompts.count && lists.indices.allSatisfy { list in
            let bounds: UnsafeBufferPointer<UInt32> = answers.values(answers.innerRange(list))
            // Nothing would predict the first token of a prompt.
            guard bounds.count % 2 == 0, bounds.first != 0, Int(bounds.last ?? 0) <= ids.innerRange(prompts.lowerBound + list - lists.lowerBound).count else { return false }
            return bounds.indices.dropFirst().allSatisfy { bounds[$0 - 1] < bounds[$0] || $0 % 2 == 0 && bounds[$0 - 1] == bounds[$0] }
        }
    }
}

extension Ratings {
    /// Beyond so many the names are compared by a hash, which is `check`'s to do.
    private static let fewDimensions = 64

    /// - Parameter column: that of the dimensions; ratings, marks and targets follow.
    fileprivate static func areSound(_ block: Block, _ record: Int, at column: Int, responses: Int) -> Bool {
        func range(_ offset: Int) -> Range<Int> { block.columns[column + offset].range(record) }
        return areSound(block.columns, column, range(0), range(1), range(2), range(3), responses: responses)
    }

    /// - Parameter names: where they are among the values of the column, and ratings, marks and targets among those of theirs.
    static func areSound(_ columns: [ColumnArrays], _ column: Int, _ names: Range<Int>, _ ratings: Range<Int>, _ rated: Range<Int>, _ targets: Range<Int>, responses: Int) -> Bool {
        let expected = names.count * responses
        guard names.count <= fewDimensions, ratings.count == expected, rated.count == expected, targets.count == expected else { return false }
        // No two entries of a dictionary are equal.
        let entries = columns[column].values(names, as: UInt32.self)
        for at in entries.indices where entries[..<at].contains(entries[at]) { return false }
        let values = columns[column + 1].values(ratings, as: Double.self), marks = columns[column + 2].values(rated, as: UInt8.self)
        let shares = columns[column + 3].values(targets, as: Double.self)
        guard !values.contains(where: \.isInfinite) else { return false }
        for row in 0 ..< names.count {
            var sum = 0.0
            for i in row * responses ..< (row + 1) * responses {
                let mark = marks[i], share = shares[i]
                guard mark <= 1, share >= 0, share <= 1, mark == 1 || share == 0 else { return false }
                sum += share
            }
            guard sum == 0 || abs(sum - 1) < 1e-9 else { return false }
        }
        return true
    }
}
