import Jinja
import RecordStream

/// Where each turn starts in what a template made of a conversation, then where the header starts that opens the answer.
///
/// Between the texts of two turns, which their origins show, the template closes one turn and opens the next. What it makes of the turns before alone ends
/// where the next one starts, and it is asked for that: it is exact for every template that writes turn after turn. Where a template will not render so few
/// turns, or renders them otherwise, the special tokens between the texts decide: the first closes a turn, the second opens one.
enum TurnStarts {
    /// - Returns: the starts, and whether they were found without comparing contents, so that they are there for other contents too.
    static func find(_ turns: [Turn], in whole: MarkedText, _ cutter: SpecialTokenCutter, _ render: (_ turns: Int) throws -> MarkedText) -> (starts: [Int], areStructural: Bool) {
        // The first start and the second both ask for the first turn alone.
        let first = turns.isEmpty ? nil : try? render(1)
        let contents = turns.indices.map { whole.range(of: .turn($0)) }
        var starts: [Int] = [], low = 0, areStructural = true
        for turn in 0 ... turns.count {
            if turn > 0, let content = contents[turn - 1] { low = max(low, content.upperBound) }
            let high = max(low, contents[turn...].lazy.compactMap { $0?.lowerBound }.first ?? whole.count)
            let start: Int
            if turns.isEmpty {
                start = whole.count
            } else if turn == 0 {
                start = firstStart(in: whole, before: high, cutter, closing: first.flatMap { text in text.range(of: .turn(0)).map { (text, $0.upperBound) } })
            } else {
                let before = turn == 1 ? first : try? render(turn), shared = before?.sharedPrefix(with: whole) ?? 0
                start = boundary(in: whole, low ..< high, cutter, after: before, shared)
                areStructural = areStructural && isStructural(whole, low ..< high, after: before, shared)
            }
            starts.append(start)
            low = max(low, start)
        }
        return (starts, areStructural)
    }

    /// Whether `boundary` sees nothing but the template's text, and compares contents only with themselves.
    private static func isStructural(_ whole: MarkedText, _ gap: Range<Int>, after before: MarkedText?, _ shared: Int) -> Bool {
        guard whole.isTemplates(gap) else { return false }
        guard let before, shared < min(before.count, gap.upperBound) else { return true }
        return whole.isTemplates(shared ..< shared + 1) && before.isTemplates(shared ..< shared + 1)
    }

    /// What stands before the first turn is a token that opens a text, or a system turn of the template's own, which ends as the first turn does.
    private static func firstStart(in whole: MarkedText, before end: Int, _ cutter: SpecialTokenCutter, closing: (text: MarkedText, from: Int)?) -> Int {
        let tokens = cutter.matches(in: whole, 0 ..< end)
        guard let first = tokens.first else { return 0 }
        if let closing, let mark = cutter.matches(in: closing.text, closing.from ..< closing.text.count, most: 1).first?.token.id,
            let last = tokens.lastIndex(where: { $0.token.id == mark }) {
            return last + 1 < tokens.count ? tokens[last + 1].range.lowerBound : tokens[last].range.upperBound
        }
        // What opens the text stands nowhere else, and is the vocabulary's token for that or goes right before another.
        let all = cutter.matches(in: whole, 0 ..< whole.count)
        var start = first.range.lowerBound
        for (number, match) in tokens.enumerated() where match.range.lowerBound == start {
            let isFollowed = number + 1 < tokens.count && tokens[number + 1].range.lowerBound == match.range.upperBound
            guard isFollowed || cutter.opening.contains(match.token.id), all.count(where: { $0.token.id == match.token.id }) == 1 else { break }
            start = match.range.upperBound
        }
        return start
    }

    private static func boundary(in whole: MarkedText, _ gap: Range<Int>, _ cutter: SpecialTokenCutter, after before: MarkedText?, _ shared: Int) -> Int {
        if let before {
            // What the next turn's text goes on with is not the template's.
            let shared = min(shared, gap.upperBound)
            if shared == before.count, gap.lowerBound <= shared { return shared }
            // It ends such a conversation otherwise: what both share goes up to the last whole line or token.
            if shared >= gap.lowerBound {
                let line = whole.bytes[gap.lowerBound ..< shared].lastIndex(of: 0x0A).map { $0 + 1 } ?? gap.lowerBound
                let token = cutter.matches(in: whole, gap.lowerBound ..< shared).last?.range.upperBound ?? gap.lowerBound
                return max(line, token)
            }
        }
        let tokens = cutter.matches(in: whole, gap)
        return tokens.count > 1 ? tokens[1].range.lowerBound : tokens.first?.range.upperBound ?? gap.lowerBound
    }
}

extension MarkedText {
    /// Whether the template wrote all of a range.
    fileprivate func isTemplates(_ range: Range<Int>) -> Bool {
        var start = 0
        for run in runs {
            if run.origin != .template, start < range.upperBound, run.end > range.lowerBound { return false }
            start = run.end
        }
        return true
    }
}
