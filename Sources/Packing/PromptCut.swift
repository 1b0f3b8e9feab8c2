import RecordStream

/// Which tokens of a prompt stay when it must fit into `room` tokens, so that it remains a conversation that ends in the answer's header.
///
/// 1. What stands before the first turn (a beginning-of-text token), a system turn at the start, the last turn and the answer's header stay.
/// 2. The oldest turns between them go whole, an exchange at a time: a user's turn with all that follows it up to the next.
/// 3. Still too long: the system turn and the last turn are cut in their middles, the longer one down to the other's length first, so that
///    each keeps the marks at its start and end.
struct PromptCut: Equatable {
    /// What is kept, in order, none empty.
    var kept: [Range<Int>]
    var turnsRemoved: Int
    /// Tokens taken from the middle of turns.
    var middleTokens: Int

    var length: Int { kept.reduce(0) { $0 + $1.count } }

    /// Without any turn the prompt counts as one turn.
    /// - Returns: nil where not even one token of a turn fits beside what must stay, or nothing would be left.
    init?(_ prompt: TokensRecord.Prompt, room: Int) {
        let length = prompt.ids.count
        var bounds = prompt.turnStarts.map { Int($0) }
        if bounds.count < 2 { bounds = [0, bounds.last ?? length] }
        let turns = zip(bounds, bounds.dropFirst()).map { $0 ..< $1 }
        let before = 0 ..< bounds[0], header = bounds[turns.count] ..< length, last = turns[turns.count - 1]
        let first = prompt.roles.first == "system" && turns.count > 1 ? 1 : 0
        let system = first == 1 ? turns[0] : before.upperBound ..< before.upperBound

        var excess = length - room
        var oldest = first
        while excess > 0, let next = turns.indices.dropFirst(oldest + 1).first(where: { prompt.roles[$0] == "user" }) {
            excess -= turns[oldest ..< next].reduce(0) { $0 + $1.count }
            oldest = next
        }
        turnsRemoved = oldest - first
        middleTokens = max(excess, 0)

        var middle = [system] + turns[oldest...]
        if excess > 0 {
            let allowed = system.count + last.count - excess
            guard allowed > 0 else { return nil }
            let forSystem = min(system.count, max(allowed / 2, allowed - last.count))
            middle = PromptCut.ends(of: system, forSystem) + turns[oldest ..< turns.count - 1] + PromptCut.ends(of: last, allowed - forSystem)
        }
        kept = ([before] + middle + [header]).filter { !$0.isEmpty }
        // The last turn may be empty, and all before it gone.
        guard !kept.isEmpty else { return nil }
    }

    /// The first and the last tokens of a turn, `count` in all.
    private static func ends(of turn: Range<Int>, _ count: Int) -> [Range<Int>] {
        guard count < turn.count else { return [turn] }
        return [turn.lowerBound ..< turn.lowerBound + (count + 1) / 2, turn.upperBound - count / 2 ..< turn.upperBound]
    }
}
