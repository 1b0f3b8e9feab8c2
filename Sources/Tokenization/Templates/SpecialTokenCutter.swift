import JSON
import Jinja

/// Finds special tokens in what a template wrote, and nowhere else.
struct SpecialTokenCutter: Sendable {
    struct Match {
        var range: Range<Int>
        var token: AddedToken
    }

    private let matcher: AddedTokenMatcher
    /// Tokens that begin a text.
    let opening: Set<UInt32>

    init(_ tokens: [AddedToken], opening: Set<UInt32>) {
        matcher = AddedTokenMatcher(tokens, contents: tokens.map(\.content))
        self.opening = opening
    }

    /// Whether some token takes the white space beside it.
    var strips: Bool { matcher.tokens.contains { $0.stripsLeft || $0.stripsRight } }

    /// The first token whose bytes are all the template's, at or after a byte.
    func first(in text: MarkedText, from start: Int) -> Range<Int>? { matches(in: text, start ..< text.count, most: 1).first?.range }

    /// The tokens within a range, in order.
    func matches(in text: MarkedText, _ range: Range<Int>, most: Int = .max) -> [Match] {
        var found: [Match] = []
        text.bytes.withUnsafeBufferPointer { bytes in
            var start = 0
            for run in text.runs {
                var position = max(start, range.lowerBound)
                start = run.end
                let end = min(run.end, range.upperBound)
                guard run.origin == .template, position < end else { continue }
                let stretch = UnsafeBufferPointer(rebasing: bytes[..<end])
                while found.count < most, let match = matcher.next(in: stretch, from: position) {
                    found.append(Match(range: match.start ..< match.end, token: matcher.tokens[match.token]))
                    position = match.end
                }
                if found.count >= most { return }
            }
        }
        return found
    }

    /// A range of a text as pieces, and the pieces at which it is to be parted. A special token is never parted; one that takes the white space beside it does.
    func pieces(_ text: MarkedText, _ range: Range<Int>, starts: [Int] = []) -> (pieces: [TemplatePiece], starts: [Int]) {
        var pieces: [TemplatePiece] = [], indices: [Int] = [], pending = starts[...], done = range.lowerBound
        func add(_ range: Range<Int>) {
            var start = range.lowerBound
            while let next = pending.first, next < range.upperBound {
                if next > start { pieces.append(.text(Text(text.bytes[start ..< next]))) }
                start = max(start, next)
                indices.append(pieces.count)
                pending.removeFirst()
            }
            if start < range.upperBound { pieces.append(.text(Text(text.bytes[start ..< range.upperBound]))) }
        }
        for match in matches(in: text, range) {
            var start = max(match.range.lowerBound, done), end = max(match.range.upperBound, done)
            if match.token.stripsLeft { start = max(done, text.spacesStart(before: start)) }
            if match.token.stripsRight { end = min(range.upperBound, text.spacesEnd(from: end)) }
            add(done ..< start)
            while let next = pending.first, next < end {
                indices.append(pieces.count)
                pending.removeFirst()
            }
            pieces.append(.special(String(decoding: match.token.content, as: UTF8.self)))
            done = end
        }
        add(done ..< range.upperBound)
        return (pieces, indices + pending.map { _ in pieces.count })
    }
}

extension MarkedText {
    fileprivate func spacesStart(before position: Int) -> Int {
        bytes.withUnsafeBufferPointer { bytes in
            var position = position
            while position > 0, let base = bytes.baseAddress {
                let previous = UTF8Text.previous(base, position)
                guard CharacterClasses.of(UTF8Text.decode(base, previous).point).contains(.space) else { break }
                position = previous
            }
            return position
        }
    }

    fileprivate func spacesEnd(from position: Int) -> Int {
        bytes.withUnsafeBufferPointer { bytes in
            var position = position
            while position < bytes.count, let base = bytes.baseAddress {
                let (point, next) = UTF8Text.decode(base, position)
                guard CharacterClasses.of(point).contains(.space) else { break }
                position = next
            }
            return position
        }
    }
}
