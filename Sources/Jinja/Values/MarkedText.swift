/// Where bytes of a rendered text came from.
public struct TextOrigin: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The template's own text, and what the template computed.
    public static let template = TextOrigin(rawValue: 0)
}

/// A string of the template language that knows where each of its bytes came from: a literal `<|im_end|>` in a message stays distinguishable from the
/// template's own, through concatenation, slicing, filters and methods. Nearly all strings have one origin, which costs a number and no list.
///
/// The bytes are UTF-8 in which a lone surrogate stands as its three-byte form, as in `JSON.Text`.
public struct MarkedText: Sendable {
    /// Bytes of one origin, up to `end`.
    public struct Run: Hashable, Sendable {
        public var end: Int
        public var origin: TextOrigin
    }

    private var stored: [UInt8]
    /// The origin of all bytes, where `parts` is empty.
    private var origin: TextOrigin
    /// How often some of it stands for a content that is not known yet: see `Placeholders`. A small number in this place, so that values stay small, which deep templates hold many of.
    private var placeholders: UInt32 = 0
    /// Where bytes differ in origin; neighbours differ.
    private var parts: [Run] = []
    /// What the filters `safe` and `escape` give: text joined to it by + is escaped for HTML, as the language has it.
    var isMarkup = false
    /// Whether all of it stands for a content that is not known yet.
    private var isPlaceholder = false

    var hasPlaceholders: Bool { placeholders > 0 }

    public init(_ bytes: [UInt8] = [], origin: TextOrigin = .template) {
        stored = bytes
        self.origin = origin
    }

    init(standingFor placeholder: Placeholder, origin: TextOrigin) {
        self.init(placeholder.mark, origin: origin)
        (placeholders, isPlaceholder) = (1, true)
    }

    /// Every look at the text goes through these bytes, but for those here that join texts.
    public var bytes: [UInt8] {
        if hasPlaceholders { Placeholders.noteLook() }
        return stored
    }

    public init(_ string: String, origin: TextOrigin = .template) { self.init(Array(string.utf8), origin: origin) }

    /// The runs of one origin each, in order; none of an empty text.
    public var runs: [Run] {
        if hasPlaceholders { Placeholders.noteLook() }
        return storedRuns
    }

    private var storedRuns: [Run] { parts.isEmpty && !stored.isEmpty ? [Run(end: stored.count, origin: origin)] : parts }

    public var count: Int { bytes.count }
    /// Of contents that are not known too: they are not empty.
    public var isEmpty: Bool { stored.isEmpty }
    /// Bytes for what a rendering spends, which is no look: those of contents that are not known are as many as they may be.
    var size: Int { stored.count + Int(placeholders) * Placeholders.greatestContent }
    /// Without those of contents that are not known.
    var knownBytes: Int { stored.count - Int(placeholders) * Placeholder.markLength }

    /// For messages: what is not UTF-8 is replaced.
    var description: String { String(decoding: bytes, as: UTF8.self) }

    /// How many bytes both start with, eight at a time.
    public func sharedPrefix(with other: MarkedText) -> Int {
        bytes.withUnsafeBytes { own in
            other.bytes.withUnsafeBytes { other in
                let end = min(own.count, other.count)
                var index = 0
                func word(_ bytes: UnsafeRawBufferPointer) -> UInt64 { bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) }
                while index + 8 <= end, word(own) == word(other) { index += 8 }
                while index < end, own[index] == other[index] { index += 1 }
                return index
            }
        }
    }

    /// Whether the text starts with these bytes, of the same origins.
    public func hasPrefix(_ other: MarkedText) -> Bool {
        guard sharedPrefix(with: other) == other.count else { return false }
        let own = runs
        var index = 0, start = 0
        for run in other.runs {
            while start < run.end {
                if own[index].end <= start {
                    index += 1
                    continue
                }
                guard own[index].origin == run.origin else { return false }
                start = min(own[index].end, run.end)
            }
        }
        return true
    }

    // MARK: - Building

    public mutating func append(_ other: MarkedText) {
        if other.stored.isEmpty { return }
        isPlaceholder = stored.isEmpty && other.isPlaceholder
        placeholders += other.placeholders
        if parts.isEmpty, other.parts.isEmpty, stored.isEmpty || origin == other.origin {
            origin = other.origin
            stored += other.stored
            return
        }
        let start = stored.count
        expandParts()
        stored += other.stored
        for run in other.storedRuns { extend(to: start + run.end, run.origin) }
    }

    /// Appends a part of another text.
    mutating func append(_ other: MarkedText, _ range: Range<Int>) {
        if range.isEmpty { return }
        let more = other.bytes[range]
        isPlaceholder = false
        if other.parts.isEmpty {
            append(bytes: more, origin: other.origin)
            return
        }
        let shift = stored.count - range.lowerBound
        expandParts()
        stored += more
        var index = other.firstPart(after: range.lowerBound)
        repeat {
            extend(to: min(other.parts[index].end, range.upperBound) + shift, other.parts[index].origin)
            index += 1
        } while other.parts[index - 1].end < range.upperBound
    }

    mutating func append(bytes more: some Collection<UInt8>, origin: TextOrigin = .template) {
        if more.isEmpty { return }
        isPlaceholder = false
        if parts.isEmpty, stored.isEmpty || self.origin == origin {
            self.origin = origin
            stored.append(contentsOf: more)
            return
        }
        expandParts()
        stored.append(contentsOf: more)
        extend(to: stored.count, origin)
    }

    mutating func append(_ literal: StaticString) {
        literal.withUTF8Buffer { append(bytes: $0) }
    }

    private mutating func expandParts() {
        if parts.isEmpty, !stored.isEmpty { parts = [Run(end: stored.count, origin: origin)] }
    }

    private mutating func extend(to end: Int, _ origin: TextOrigin) {
        if let last = parts.last, last.origin == origin { parts[parts.count - 1].end = end } else { parts.append(Run(end: end, origin: origin)) }
    }

    // MARK: - Contents that are not known

    /// The same as a text like any other.
    var known: MarkedText {
        var text = self
        (text.placeholders, text.isPlaceholder) = (0, false)
        return text
    }

    /// The content that the whole text stands for.
    var placeholder: Placeholder? { isPlaceholder ? Placeholder(mark: stored) : nil }

    /// The first run, or the last: the content that its edge stands for, or a text of the template's.
    func edgeRun(atEnd: Bool) -> (placeholder: Placeholder?, text: MarkedText) {
        let runs = storedRuns
        guard hasPlaceholders, let run = atEnd ? runs.last : runs.first else { return (nil, self) }
        let start = atEnd && runs.count > 1 ? runs[runs.count - 2].end : 0
        if run.origin == .template { return (nil, MarkedText(Array(stored[start ..< run.end]))) }
        return (Placeholder(mark: stored[(atEnd ? run.end - Placeholder.markLength : start)...]), MarkedText())
    }

    // MARK: - Parts

    /// The first part that ends after a position.
    private func firstPart(after position: Int) -> Int {
        var low = 0, high = parts.count
        while low < high {
            let middle = (low + high) / 2
            if parts[middle].end <= position { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The origin of a byte.
    func origin(at position: Int) -> TextOrigin { parts.isEmpty ? origin : parts[firstPart(after: position)].origin }

    subscript(range: Range<Int>) -> MarkedText {
        if range.count == stored.count { return self }
        var part = MarkedText()
        part.append(self, range)
        part.isMarkup = isMarkup
        return part
    }

    /// Without the mark of HTML.
    static func plain(_ text: MarkedText) -> MarkedText {
        var text = text
        text.isMarkup = false
        return text
    }

    /// Each run's bytes made anew.
    func mapRuns(_ change: (ArraySlice<UInt8>) -> [UInt8]) -> MarkedText {
        var result = MarkedText(), start = 0
        for run in runs {
            result.append(bytes: change(bytes[start ..< run.end]), origin: run.origin)
            start = run.end
        }
        result.isMarkup = isMarkup
        return result
    }
}

extension MarkedText: Hashable {
    /// Strings are equal by their bytes, wherever they came from.
    public static func == (left: MarkedText, right: MarkedText) -> Bool { left.bytes == right.bytes }
    public static func == (left: MarkedText, right: String) -> Bool { left.bytes.elementsEqual(right.utf8) }
    public func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }
}
