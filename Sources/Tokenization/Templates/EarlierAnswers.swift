import JSON
import RecordStream
import SystemIO

/// Which answers of a conversation are learnt.
public enum LearntAnswers: String, Sendable, CaseIterable {
    /// The responses.
    case last
    /// Every turn of the assistant.
    case assistant
}

/// Where the answers that a prompt holds lie in what a template made of it.
///
/// The template itself says it: what it makes of the turns before an answer, with the header that opens one, and then of the answer, must be how the whole begins. So an earlier answer is
/// learnt exactly as it would be as the last one.
enum EarlierAnswers {
    /// The start and the end of each, in the bytes of the flattened prompt.
    static func bounds(_ turns: [Turn], in prompt: RenderedPrompt, _ template: any ChatTemplate) throws(InputError) -> [Int] {
        let whole = flattened(prompt.pieces)
        var bounds: [Int] = []
        for (index, turn) in turns.enumerated() where turn.role == "assistant" {
            let before = try template.prompt(Array(turns[..<index]))
            let answer = try template.response(turn.content, to: before)
            let start = flattened(before.pieces), end = start + flattened(answer.pieces)
            guard whole.starts(with: end) else {
                throw InputError(
                    "the template \(template.name) writes the answer of turn \(index + 1) otherwise when turns follow it, so that what is to be learnt of it cannot be told; use --loss-on last, or choose another by --template")
            }
            if end.count > start.count { bounds += [start.count, end.count] }
        }
        return bounds
    }

    /// A prompt's pieces as bytes that are equal where the pieces say the same: no text holds the byte 255.
    private static func flattened(_ pieces: [TemplatePiece]) -> [UInt8] {
        pieces.reduce(into: []) { bytes, piece in
            switch piece {
            case .text(let text): bytes += text.bytes
            case .special(let name): bytes += [255] + name.utf8 + [255]
            }
        }
    }

    /// Length of a piece among the bytes.
    static func length(_ piece: TemplatePiece) -> Int {
        switch piece {
        case .text(let text): text.count
        case .special(let name): name.utf8.count + 2
        }
    }
}
