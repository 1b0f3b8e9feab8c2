/// Which tokens of a prompt stay when it must fit into `room` tokens, so that it remains a conversation that ends in the answer's header.
///
/// 1. What stands before the first turn (a beginning-of-text token), a system turn, the last turn and the answer's header stay.
/// 2. The oldest turns between them go whole, a question with its answer at a time.
/// 3. Still too long: the system turn and the last turn are cut in their middles, the longer one down to the other's length first, so that
///    each keeps the marks at its start and end.
///
/// A tokens record says where turns start but not whose they are. User and assistant alternate and the user is last, so an even number of turns
/// starts with a system turn.
struct PromptCut: Equatable {
    /// What is kept, in order, none empty.
    var kept: [Range<Int>]
    var turnsRemoved: Int
    /// Tokens taken from the middle of turns.
    var middleTokens: Int

    var length: Int { kept.reduce(0) { $0 + $1.count } }

    /// - Parameters:
    ///   - starts: where each turn starts, then the answer's header; in order, at most `length`. Without any turn the prompt counts as one turn.
    /// - Returns: nil where not even one token of a turn fits beside what must stay.
    init?(length: Int, starts: [UInt32], room: Int) {
        var bounds = starts.map { Int($0) }
        if bounds.count < 2 { bounds = [0, bounds.last ?? length] }
        let turns = zip(bounds, bounds.dropFirst()).map { $0 ..< $1 }
        let before = 0 ..< bounds[0], header = bounds[turns.count] ..< length, last = turns[turns.count - 1]
        let system = turns.count % 2 == 0 ? turns[0] : before.upperBound ..< before.upperBound
        let first = turns.count % 2 == 0 ? 1 : 0

        var excess = length - room
        var oldest = first
        while excess > 0, oldest + 2 < turns.count {
            excess -= turns[oldest].count + turns[oldest + 1].count
            oldest += 2
        }
        turnsRemoved = oldest - first
        middleTokens = max(excess, 0)

        var middle = [system] + turns[oldest...]
        if excess > 0 {
            let allowed = system.count + last.count - excess
            guard allowed > 0 else { return nil }
            let forSystem = min(system.count, max(allowed / 2, allowed - last.count))
            middle = PromptCut.ends(of: system, forSystem) + PromptCut.ends(of: last, allowed - forSystem)
        }
        kept = ([before] + middle + [header]).filter { !$0.isEmpty }
    }

    /// The first and the last tokens of a turn, `count` in all.
    private static func ends(of turn: Range<Int>, _ count: Int) -> [Range<Int>] {
        guard count < turn.count else { return [turn] }
        return [turn.lowerBound ..< turn.lowerBound + (count + 1) / 2, turn.upperBound - count / 2 ..< turn.upperBound]
    }
}
