import TestSupport
import Testing
@testable import JSON

/// The library's look at many bytes at once, against Swift's own decoder: at every place of its vectors, and at their ends.
@Suite struct UTF8Tests {
    private func isKnown(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: Unicode.UTF8.self) != nil }

    private func differs(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBufferPointer { isUTF8($0) } != isKnown(bytes) }

    @Test func everySequenceOfTwoBytesAndTheEdgesOfLongerOnes() {
        #expect([].withUnsafeBufferPointer { isUTF8($0) } && isUTF8(UnsafeBufferPointer(start: nil, count: 0)))
        let edges: [UInt8] = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFF]
        var wrong: [[UInt8]] = []
        for first in UInt8.min ... .max {
            if differs([first]) { wrong.append([first]) }
            for second in UInt8.min ... .max where differs([first, second]) { wrong.append([first, second]) }
        }
        for first in edges where first >= 0xE0 {
            for second in edges {
                for third in edges {
                    if differs([first, second, third]) { wrong.append([first, second, third]) }
                    for fourth in edges where differs([first, second, third, fourth]) { wrong.append([first, second, third, fourth]) }
                }
            }
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    }

    @Test func everyPlaceOfAText() {
        var generator = SeededGenerator(seed: 21), accepted = 0, refused = 0
        let characters: [[UInt8]] = ["a", "é", "的", "😀", "\u{7FF}", "\u{D7FF}", "\u{E000}", "\u{FFFF}", "\u{10FFFF}"].map { Array(($0 as String).utf8) }
        for length in 0 ..< 300 {
            var text: [UInt8] = []
            while text.count < length { text += characters[Int.random(in: 0 ..< characters.count, using: &generator)] }
            var cases = [text]
            for _ in 0 ..< 20 where !text.isEmpty {
                var changed = text
                changed[Int.random(in: 0 ..< changed.count, using: &generator)] = UInt8.random(in: 0 ... 255, using: &generator)
                cases += [changed, Array(text.prefix(Int.random(in: 0 ... text.count, using: &generator))), Array(changed.dropFirst(Int.random(in: 0 ... 3, using: &generator)))]
            }
            for bytes in cases {
                #expect(!differs(bytes), "\(bytes)")
                if isKnown(bytes) { accepted += 1 } else { refused += 1 }
            }
        }
        #expect(accepted > 3000 && refused > 9000, "\(accepted), \(refused)")
    }
}
