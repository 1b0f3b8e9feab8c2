import JSON
import RecordStream
import SystemIO

/// `<|im_start|>role\ncontent<|im_end|>\n` for each turn; the answer follows `<|im_start|>assistant\n` and ends with `<|im_end|>`.
///
/// Models' own templates of this form add a system prompt of their own where there is none; this one adds nothing.
public struct ChatMLTemplate: ChatTemplate {
    public let name = "chatml"
    public let specialTokens = ["<|im_start|>", "<|im_end|>"]

    public init() {}

    public func prompt(_ turns: [Turn]) -> RenderedPrompt {
        var rendered = RenderedPrompt()
        for turn in turns {
            rendered.turnStarts.append(rendered.pieces.count)
            rendered.pieces += [.special("<|im_start|>"), .text(Text(turn.role.bytes + "\n".utf8 + turn.content.bytes)), .special("<|im_end|>"), .text("\n")]
        }
        rendered.turnStarts.append(rendered.pieces.count)
        rendered.pieces += [.special("<|im_start|>"), .text("assistant\n")]
        return rendered
    }

    public func response(_ text: Text, to prompt: RenderedPrompt) -> RenderedResponse {
        RenderedResponse(pieces: [.text(text), .special("<|im_end|>")])
    }

    public func outline(_ roles: [Text]) throws(InputError) -> ConversationOutline? { try ConversationOutline(self, roles) }
}

/// `<|begin_of_text|>` once, then `<|start_header_id|>role<|end_header_id|>\n\ncontent<|eot_id|>` for each turn, contents trimmed of white space; the
/// answer, trimmed too, ends with `<|eot_id|>`.
public struct Llama3Template: ChatTemplate {
    public let name = "llama3"
    public let specialTokens = ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]

    public init() {}

    public func prompt(_ turns: [Turn]) -> RenderedPrompt {
        var rendered = RenderedPrompt(pieces: [.special("<|begin_of_text|>")])
        for turn in turns {
            rendered.turnStarts.append(rendered.pieces.count)
            let content = turn.content.trimmed()
            if content.count != turn.content.count { rendered.trimmed += 1 }
            rendered.pieces += header(turn.role) + [.text(Text("\n\n".utf8 + content.bytes)), .special("<|eot_id|>")]
        }
        rendered.turnStarts.append(rendered.pieces.count)
        rendered.pieces += header("assistant") + [.text("\n\n")]
        return rendered
    }

    private func header(_ role: Text) -> [TemplatePiece] { [.special("<|start_header_id|>"), .text(role), .special("<|end_header_id|>")] }

    public func response(_ text: Text, to prompt: RenderedPrompt) -> RenderedResponse {
        let content = text.trimmed()
        return RenderedResponse(pieces: [.text(content), .special("<|eot_id|>")], trimmed: content.count == text.count ? 0 : 1)
    }

    public func outline(_ roles: [Text]) throws(InputError) -> ConversationOutline? { try ConversationOutline(self, roles, trims: true) }
}

/// No roles: the beginning token, each turn's text and a line end, the answer, the end token.
public struct PlainTemplate: ChatTemplate {
    public let name = "plain"
    /// None for vocabularies that have none.
    public let beginning: String?
    public let ending: String

    public init(beginning: String?, ending: String) {
        self.beginning = beginning
        self.ending = ending
    }

    public var specialTokens: [String] { [beginning, ending].compactMap { $0 } }

    public func prompt(_ turns: [Turn]) -> RenderedPrompt {
        var rendered = RenderedPrompt(pieces: beginning.map { [.special($0)] } ?? [])
        for turn in turns {
            rendered.turnStarts.append(rendered.pieces.count)
            rendered.pieces.append(.text(Text(turn.content.bytes + "\n".utf8)))
        }
        rendered.turnStarts.append(rendered.pieces.count)
        return rendered
    }

    public func response(_ text: Text, to prompt: RenderedPrompt) -> RenderedResponse {
        RenderedResponse(pieces: [.text(text), .special(ending)])
    }

    public func outline(_ roles: [Text]) throws(InputError) -> ConversationOutline? { try ConversationOutline(self, roles) }
}

extension Text {
    /// Without white space at both ends, as the templates' own language (Python's `strip`) has it: `\s` and the four separators U+001C to U+001F.
    func trimmed() -> Text {
        var start = 0, end = bytes.count
        while let length = Text.spaceLength(bytes[start ..< end]) { start += length }
        while let length = Text.spaceLength(endOf: bytes[start ..< end]) { end -= length }
        return start == 0 && end == bytes.count ? self : Text(bytes[start ..< end])
    }

    /// Bytes of the white-space character that the bytes start with.
    private static func spaceLength(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard let first = bytes.first else { return nil }
        switch first {
        case 0x09 ... 0x0D, 0x1C ... 0x20: return 1
        case 0xC2: return isSpace(bytes.prefix(2)) ? 2 : nil
        case 0xE1 ... 0xE3: return isSpace(bytes.prefix(3)) ? 3 : nil
        default: return nil
        }
    }

    private static func spaceLength(endOf bytes: ArraySlice<UInt8>) -> Int? {
        (1 ... 3).first { $0 <= bytes.count && isSpace(bytes.suffix($0)) }
    }

    /// Whether the bytes are one white-space character.
    private static func isSpace(_ bytes: ArraySlice<UInt8>) -> Bool {
        switch Array(bytes) {
        case let b where b.count == 1: (0x09 ... 0x0D).contains(b[0]) || (0x1C ... 0x20).contains(b[0])
        case let b where b.count == 2: b[0] == 0xC2 && (b[1] == 0x85 || b[1] == 0xA0)
        case [0xE1, 0x9A, 0x80], [0xE2, 0x80, 0xA8], [0xE2, 0x80, 0xA9], [0xE2, 0x80, 0xAF], [0xE2, 0x81, 0x9F], [0xE3, 0x80, 0x80]: true
        case let b where b.count == 3: b[0] == 0xE2 && b[1] == 0x80 && (0x80 ... 0x8A).contains(b[2])
        default: false
        }
    }
}
