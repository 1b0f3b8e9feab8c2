import Synchronization
import SystemIO

/// Texts that stand for contents which are not known yet: what a template makes of them it makes of all contents that meet its demands.
///
/// A template may join such texts, pass them on and print them, and ask them a few things that nearly all contents answer alike (`ContentDemand`): each question becomes a
/// demand, and gets that answer. Whatever else looks at their bytes is noted, and what was rendered then holds for no other contents.
public enum Placeholders {
    private struct Findings {
        var wereLookedAt = false
        var demands: [ContentDemand] = []
    }

    /// Of the rendering with placeholders that goes on: one at a time, and only it has texts that come here.
    nonisolated(unsafe) private static var findings = Findings()
    private static let turn = Mutex<Void>(())

    /// A string that stands for a content that is not empty. Its bytes are a mark by which the caller finds it in what is rendered.
    public static func text(_ mark: [UInt8], origin: TextOrigin) -> Value { .string(MarkedText(standingFor: mark, origin: origin)) }

    static func noteLook() { findings.wereLookedAt = true }

    static func noteDemand(_ origin: TextOrigin, _ kind: ContentDemand.Kind) {
        let demand = ContentDemand(origin: origin, kind: kind)
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

/// What a content must be for a template to treat it as it treated its placeholder.
public struct ContentDemand: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// What it must not be, hold, begin with, end with: texts that are not empty, but for the first.
        case differs([UInt8]), lacks([UInt8]), doesNotStart([UInt8]), doesNotEnd([UInt8])
        /// Trimming leaves it as it is: of white space, or of the characters given.
        case isTrimmed(of: [UInt8]?, left: Bool, right: Bool)
    }

    /// Which content is meant.
    public let origin: TextOrigin
    public let kind: Kind

    public init(origin: TextOrigin, kind: Kind) {
        self.origin = origin
        self.kind = kind
    }

    public func isMet(by content: UnsafeBufferPointer<UInt8>) -> Bool {
        switch kind {
        case .differs(let text): !content.elementsEqual(text)
        case .lacks(let text): content.place(of: text) == nil
        case .doesNotStart(let text): !content.starts(with: text)
        case .doesNotEnd(let text): !content.suffix(text.count).elementsEqual(text)
        case .isTrimmed(let characters, let left, let right): !(left && Self.goes(content, characters, atEnd: false)) && !(right && Self.goes(content, characters, atEnd: true))
        }
    }

    /// Whether trimming takes the first character away, or the last.
    private static func goes(_ content: UnsafeBufferPointer<UInt8>, _ characters: [UInt8]?, atEnd: Bool) -> Bool {
        guard let edge = atEnd ? content.last : content.first else { return false }
        // So nearly all texts begin and end.
        if characters == nil, edge > 0x20, edge < 0x80 { return false }
        // A character has at most four bytes.
        let text = MarkedText(Array(atEnd ? content.suffix(4) : content.prefix(4)))
        return text.trimmed(of: characters.map { MarkedText($0) }, left: !atEnd, right: atEnd).count < text.count
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
        if hasPlaceholders, characters?.hasPlaceholders != true, let demands = demandsOfTrimming(characters, left: left, right: right) {
            for (origin, kind) in demands { Placeholders.noteDemand(origin, kind) }
            return self
        }
        return characters.map { trimmed(of: $0, left: left, right: right) } ?? trimmed(left: left, right: right)
    }

    /// Under which trimming changes nothing; nil where something of the template's own would go.
    private func demandsOfTrimming(_ characters: MarkedText?, left: Bool, right: Bool) -> [(TextOrigin, ContentDemand.Kind)]? {
        var demands: [(TextOrigin, ContentDemand.Kind)] = []
        for atEnd in [false, true] where atEnd ? right : left {
            let run = edgeRun(atEnd: atEnd)
            if let placeholder = run.placeholder {
                demands.append((placeholder, .isTrimmed(of: characters?.bytes, left: !atEnd, right: atEnd)))
            } else if run.text.trimmed(of: characters, left: !atEnd, right: atEnd).size < run.text.size { return nil }
        }
        return demands
    }
}
