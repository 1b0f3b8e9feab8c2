import Synchronization
import SystemIO

/// Texts that stand for contents which are not known yet: what a template makes of them it makes of all contents that meet its demands.
///
/// A template may join such texts, pass them on, trim white space and print them, and ask them a few things that nearly all contents answer alike (`ContentDemand`): each
/// question becomes a demand, and gets that answer. Whatever else looks at their bytes is noted, and what was rendered then holds for no other contents.
public enum Placeholders {
    private struct Findings {
        var wereLookedAt = false
        var demands: [ContentDemand] = []
    }

    /// Of the rendering with placeholders that goes on: one at a time, and only it has texts that come here.
    nonisolated(unsafe) private static var findings = Findings()
    private static let turn = Mutex<Void>(())

    /// The largest content that a string stands for, in bytes: what is rendered without going beyond the bounds of `Budget` then keeps within them for all contents.
    public static let greatestContent = 1 << 16

    /// A string that stands for a content that is not empty, and not larger than `greatestContent`.
    public static func text(_ number: Int, origin: TextOrigin) -> Value { .string(MarkedText(standingFor: Placeholder(number), origin: origin)) }

    static func noteLook() { findings.wereLookedAt = true }

    static func noteDemand(_ placeholder: Placeholder, _ kind: ContentDemand.Kind) {
        let demand = ContentDemand(of: placeholder, kind)
        if !findings.demands.contains(demand) { findings.demands.append(demand) }
    }

    /// What `render` gives, or fails with, and what it demands of contents; nil where it looked at them otherwise.
    static func watch(_ render: () throws(InputError) -> MarkedText) -> (result: Result<MarkedText, InputError>, demands: [ContentDemand])? {
        turn.withLock { _ in
            findings = Findings()
            let result = Result { () throws(InputError) in try render().known }
            return findings.wereLookedAt ? nil : (result, findings.demands)
        }
    }
}

/// Which content a text stands for, and whether for all of it.
public struct Placeholder: Sendable, Hashable {
    public var number: Int
    /// Ends at which its white space is left out.
    public var trimmed: TextEnds

    public init(_ number: Int, trimmed: TextEnds = []) {
        self.number = number
        self.trimmed = trimmed
    }

    static let markLength = 6

    /// How it stands in what is rendered: as no text has it.
    public var mark: [UInt8] { [0xFF] + (0 ..< 4).map { UInt8(0x80 | number >> (6 * $0) & 0x3F) } + [0x80 | trimmed.rawValue] }

    /// The placeholder whose mark starts with the first byte.
    init(mark: some Collection<UInt8>) {
        let bytes = Array(mark.prefix(Placeholder.markLength))
        self.init((0 ..< 4).reduce(0) { $0 | Int(bytes[1 + $1] & 0x3F) << (6 * $1) }, trimmed: TextEnds(rawValue: bytes[5] & 0x3F))
    }

    public enum Part: Equatable, Sendable {
        case fixed([UInt8])
        case content(Placeholder)
    }

    /// What was rendered, in its parts.
    public static func parts(of text: [UInt8]) -> [Part] {
        var parts: [Part] = [], rest = text[...]
        while let mark = rest.firstIndex(of: 0xFF) {
            if mark > rest.startIndex { parts.append(.fixed(Array(rest[..<mark]))) }
            parts.append(.content(Placeholder(mark: rest[mark...])))
            rest = rest[(mark + markLength)...]
        }
        if !rest.isEmpty { parts.append(.fixed(Array(rest))) }
        return parts
    }

    /// The part of the content that it stands for.
    public func text(of content: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> { trimmed.isEmpty ? content : content.trimmed(of: nil, at: trimmed) }
}

public struct TextEnds: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let left = TextEnds(rawValue: 1), right = TextEnds(rawValue: 2), both: TextEnds = [.left, .right]

    public static let allCases: [TextEnds] = [[], .left, .right, .both]
}

/// What a content must be for a template to treat it as it treated its placeholder.
public struct ContentDemand: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// What it must not be, hold, begin with, end with: texts that are not empty, but for the first.
        case differs([UInt8]), lacks([UInt8]), doesNotStart([UInt8]), doesNotEnd([UInt8])
        /// Trimming these characters, or white space, leaves it as it is.
        case isTrimmed(of: [UInt8]?, at: TextEnds)
        case isNotBlank
    }

    /// Which content is meant, or what of it.
    public let placeholder: Placeholder
    public let kind: Kind

    public init(of placeholder: Placeholder, _ kind: Kind) {
        self.placeholder = placeholder
        self.kind = kind
    }

    public func isMet(by content: UnsafeBufferPointer<UInt8>) -> Bool {
        let content = placeholder.text(of: content)
        switch kind {
        case .differs(let text): return !content.elementsEqual(text)
        case .lacks(let text): return content.place(of: text) == nil
        case .doesNotStart(let text): return !content.starts(with: text)
        case .doesNotEnd(let text): return !content.suffix(text.count).elementsEqual(text)
        case .isTrimmed(let characters, let ends): return content.trimmed(of: characters, at: ends).count == content.count
        case .isNotBlank: return !content.trimmed(of: nil, at: .left).isEmpty
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Without white space, or the characters given, at some ends: what `MarkedText.trimmed` leaves of a copy.
    fileprivate func trimmed(of characters: [UInt8]?, at ends: TextEnds) -> UnsafeBufferPointer<UInt8> {
        var text = self
        if ends.contains(.left) {
            while true {
                let gone = text.trimmedBytes(of: characters, atEnd: false)
                if gone == 0 { break }
                text = UnsafeBufferPointer(rebasing: text.dropFirst(gone))
            }
        }
        if ends.contains(.right) {
            while true {
                let gone = text.trimmedBytes(of: characters, atEnd: true)
                if gone == 0 { break }
                text = UnsafeBufferPointer(rebasing: text.dropLast(gone))
            }
        }
        return text
    }

    /// How much of the first four bytes, or the last, goes: a character has no more.
    private func trimmedBytes(of characters: [UInt8]?, atEnd: Bool) -> Int {
        guard let edge = atEnd ? last : first else { return 0 }
        // So nearly all texts begin and end.
        if characters == nil, edge > 0x20, edge < 0x80 { return 0 }
        let text = MarkedText(Array(atEnd ? suffix(4) : prefix(4)))
        return text.size - text.trimmed(of: characters.map { MarkedText($0) }, left: !atEnd, right: atEnd).size
    }
}

extension MarkedText {
    func contains(_ part: MarkedText) -> Bool { part.isEmpty || !asks(part, { .lacks($0) }) && find(part.bytes) != nil }

    func equals(_ other: MarkedText) -> Bool {
        if other.hasPlaceholders, !hasPlaceholders { return other.equals(self) }
        return !asks(other, { .differs($0) }) && self == other
    }

    /// Whether this is a question to a placeholder, which is noted: the answer is no.
    func asks(_ part: MarkedText, _ kind: ([UInt8]) -> ContentDemand.Kind) -> Bool {
        guard let placeholder, !part.hasPlaceholders else { return false }
        Placeholders.noteDemand(placeholder, kind(part.bytes))
        return true
    }

    /// Without white space, or the characters given, at its ends.
    func trimmed(of characters: MarkedText?, left: Bool, right: Bool) -> MarkedText {
        let ends: TextEnds = left ? right ? .both : .left : right ? .right : []
        if hasPlaceholders, characters?.hasPlaceholders != true {
            if let placeholder, characters == nil {
                Placeholders.noteDemand(placeholder, .isNotBlank)
                var text = MarkedText(standingFor: Placeholder(placeholder.number, trimmed: placeholder.trimmed.union(ends)), origin: origin(at: 0))
                text.isMarkup = isMarkup
                return text
            }
            if let demands = demandsOfTrimming(characters, at: ends) {
                for (placeholder, kind) in demands { Placeholders.noteDemand(placeholder, kind) }
                return self
            }
        }
        return characters.map { trimmed(of: $0, left: left, right: right) } ?? trimmed(left: left, right: right)
    }

    /// Under which trimming changes nothing; nil where something of the template's own would go.
    private func demandsOfTrimming(_ characters: MarkedText?, at ends: TextEnds) -> [(Placeholder, ContentDemand.Kind)]? {
        var demands: [(Placeholder, ContentDemand.Kind)] = []
        for end in [.left, .right] as [TextEnds] where ends.contains(end) {
            let run = edgeRun(atEnd: end == .right)
            if let placeholder = run.placeholder {
                demands.append((placeholder, .isTrimmed(of: characters?.bytes, at: end)))
            } else if run.text.trimmed(of: characters, left: end == .left, right: end == .right).size < run.text.size { return nil }
        }
        return demands
    }
}
