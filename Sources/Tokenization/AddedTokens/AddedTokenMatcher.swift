import Glibc

/// Finds added tokens in text, leftmost first and of those the longest, by a trie over their bytes.
struct AddedTokenMatcher: Sendable {
    struct Match {
        var token: Int
        var start: Int
        var end: Int
    }

    private struct Node {
        /// Index into `tokens`, -1 where none ends.
        var token = -1
        var edges: [(byte: UInt8, node: Int)] = []
    }

    private(set) var tokens: [AddedToken] = []
    private var nodes = [Node()]
    /// First bytes of tokens: nearly every byte of a text is passed over by this alone.
    private var starts = [Bool](repeating: false, count: 256)
    /// The one first byte of all tokens, where they have one in common ("<" most often): memory is searched for it faster than looked at.
    private var onlyStart: UInt8?

    /// `contents[i]` is what is looked for as `tokens[i]`; an empty one is never found.
    init(_ tokens: [AddedToken], contents: [[UInt8]]) {
        for (token, content) in zip(tokens, contents) where !content.isEmpty {
            starts[Int(content[0])] = true
            var node = 0
            for byte in content {
                if let edge = nodes[node].edges.first(where: { $0.byte == byte }) {
                    node = edge.node
                } else {
                    nodes.append(Node())
                    nodes[node].edges.append((byte, nodes.count - 1))
                    node = nodes.count - 1
                }
            }
            if nodes[node].token < 0 {
                nodes[node].token = self.tokens.count
                self.tokens.append(token)
            }
        }
        if starts.count(where: { $0 }) == 1 { onlyStart = starts.firstIndex(of: true).map { UInt8($0) } }
    }

    var isEmpty: Bool { tokens.isEmpty }

    /// The first match at or after `position`.
    func next(in text: UnsafeBufferPointer<UInt8>, from position: Int) -> Match? {
        starts.withUnsafeBufferPointer { starts in
            var position = position
            while position < text.count {
                if let onlyStart, let base = text.baseAddress {
                    guard let found = memchr(base + position, Int32(onlyStart), text.count - position) else { return nil }
                    position = UnsafeRawPointer(found) - UnsafeRawPointer(base)
                }
                if starts[Int(text[position])], let match = longest(in: text, at: position) { return match }
                position &+= 1
            }
            return nil
        }
    }

    private func longest(in text: UnsafeBufferPointer<UInt8>, at start: Int) -> Match? {
        var node = 0, position = start
        var found: Match?
        while position < text.count, let edge = nodes[node].edges.first(where: { $0.byte == text[position] }) {
            node = edge.node
            position += 1
            if nodes[node].token >= 0 { found = Match(token: nodes[node].token, start: start, end: position) }
        }
        return found
    }

    /// Cuts the text (valid UTF-8) into stretches of text and tokens, in order. Special tokens that stay text are counted in `literals`.
    func split(_ text: UnsafeBufferPointer<UInt8>, special: LiteralSpecialTokens, literals: inout Int,
               _ body: (_ stretch: Range<Int>, _ token: UInt32?) throws -> Void) rethrows {
        var done = 0, position = 0
        while let match = next(in: text, from: position) {
            let token = tokens[match.token]
            position = match.end
            if token.isSpecial, special == .text {
                literals += 1
                continue
            }
            if token.singleWord, isWord(text, before: match.start) || isWord(text, at: match.end) { continue }
            var start = match.start, end = match.end
            if token.stripsLeft { start = max(spacesStart(text, before: start), done) }
            if token.stripsRight { end = spacesEnd(text, from: end) }
            if done < start { try body(done ..< start, nil) }
            try body(min(start, end) ..< end, token.id)
            done = end
        }
        if done < text.count { try body(done ..< text.count, nil) }
    }

    private func isWord(_ text: UnsafeBufferPointer<UInt8>, before position: Int) -> Bool {
        guard position > 0, let base = text.baseAddress else { return false }
        return CharacterClasses.of(UTF8Text.decode(base, UTF8Text.previous(base, position)).point).contains(.word)
    }

    private func isWord(_ text: UnsafeBufferPointer<UInt8>, at position: Int) -> Bool {
        guard position < text.count, let base = text.baseAddress else { return false }
        return CharacterClasses.of(UTF8Text.decode(base, position).point).contains(.word)
    }

    private func spacesStart(_ text: UnsafeBufferPointer<UInt8>, before position: Int) -> Int {
        guard let base = text.baseAddress else { return position }
        var position = position
        while position > 0 {
            let previous = UTF8Text.previous(base, position)
            guard CharacterClasses.of(UTF8Text.decode(base, previous).point).contains(.space) else { break }
            position = previous
        }
        return position
    }

    private func spacesEnd(_ text: UnsafeBufferPointer<UInt8>, from position: Int) -> Int {
        guard let base = text.baseAddress else { return position }
        var position = position
        while position < text.count {
            let (point, next) = UTF8Text.decode(base, position)
            guard CharacterClasses.of(point).contains(.space) else { break }
            position = next
        }
        return position
    }
}
