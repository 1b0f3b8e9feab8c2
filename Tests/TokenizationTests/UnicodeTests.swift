import JSON
import TestSupport
import Testing
@testable import Tokenization

@Suite struct UnicodeTests {
    private func count(_ kind: CharacterClass) -> Int {
        (UInt32(0) ..< 0x110000).count { CharacterClasses.of($0).contains(kind) }
    }

    /// As counted by asking tokenizers 0.23.3 about every code point.
    @Test func classesHaveTheReferencesSizes() {
        #expect(count(.letter) == 141_028)
        #expect(count(.number) == 1_911)
        #expect(count(.digit) == 1_924)
        #expect(count(.space) == 25)
        #expect(count(.newline) == 2)
        #expect(count(.word) == 144_667)
    }

    @Test func classesOfSomeCharacters() {
        #expect(CharacterClasses.of(0x41) == [.letter, .word])
        #expect(CharacterClasses.of(0x663) == [.number, .digit, .word])
        #expect(CharacterClasses.of(0xBD) == [.number, .digit], "one half is a number and no word character")
        #expect(CharacterClasses.of(0x11DE0) == .digit, "assigned in Unicode 17.0")
        #expect(CharacterClasses.of(0x0D) == [.space, .newline])
        #expect(CharacterClasses.of(0x1C).rawValue == 0, "a separator that is no white space to the patterns")
        #expect(CharacterClasses.of(0x110000).rawValue == 0)
    }

    @Test func compositionEqualsTheReference() throws {
        let file = try TokenizerFiles.json(Fixtures.path("tokenizers/unicode.json"))
        let strings = try #require(file["strings"]?.array)
        #expect(strings.count == 400)
        for string in strings {
            let text = try #require(string["text"]?.text), expected = try #require(string["nfc"]?.text)
            #expect(Text(normalized(text.bytes)) == expected, "\(string)")
            // What is asked before the work is done must not miss a change.
            if text != expected { #expect(text.bytes.withUnsafeBufferPointer { CanonicalComposition.shared.mayChange($0) }, "\(string)") }
        }
    }

    @Test func everySingleCharacterThatChanges() throws {
        let file = try TokenizerFiles.json(Fixtures.path("tokenizers/unicode.json"))
        var expected: [UInt32: [UInt8]] = [:]
        for row in try #require(file["changed"]?.array) {
            let points = try #require(row.ids)
            var bytes: [UInt8] = []
            for point in points.dropFirst() { UTF8Text.append(point, to: &bytes) }
            expected[points[0]] = bytes
        }
        #expect(expected.count == 1_120)
        var wrong: [UInt32] = []
        for point in UInt32(0) ..< 0x110000 where !(0xD800 ..< 0xE000).contains(point) {
            var bytes: [UInt8] = []
            UTF8Text.append(point, to: &bytes)
            if normalized(bytes) != expected[point] ?? bytes { wrong.append(point) }
        }
        #expect(wrong.isEmpty)
    }

    private func normalized(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBufferPointer { CanonicalComposition.shared.mayChange($0) ? CanonicalComposition.shared.normalized($0) : bytes }
    }

    /// Runs of characters that normalisation may touch, between others: as by the whole procedure.
    @Test func onlyRunsAreTakenThroughTheProcedure() {
        var generator = SeededGenerator(seed: 3), changed = 0
        let ranges: [ClosedRange<UInt32>] = [
            0x20 ... 0x7E, 0x20 ... 0x7E, 0xC0 ... 0x17F, 0x300 ... 0x345, 0x300 ... 0x345, 0x1100 ... 0x11FF, 0xAC00 ... 0xD7A3, 0x900 ... 0xDFF, 0x1E00 ... 0x1FFF, 0x2000 ... 0x232F,
            0x3040 ... 0x30FF, 0xF900 ... 0xFAFF, 0x1D150 ... 0x1D1FF, 0x11080 ... 0x114FF, 0x1B00 ... 0x1B7F, 0xF00 ... 0xFFF,
        ]
        for round in 0 ..< 40_000 {
            var bytes: [UInt8] = []
            for _ in 0 ..< Int.random(in: 1 ... 12, using: &generator) {
                let range = ranges[Int.random(in: 0 ..< ranges.count, using: &generator)]
                UTF8Text.append(UInt32.random(in: range, using: &generator), to: &bytes)
            }
            let plain = bytes.withUnsafeBufferPointer { CanonicalComposition.shared.plainlyNormalized($0) }
            if normalized(bytes) != plain { Issue.record("round \(round): \(String(decoding: bytes, as: UTF8.self).unicodeScalars.map(\.value))") }
            if plain != bytes { changed += 1 }
        }
        #expect(changed > 10_000)
    }

    /// A text of marks alone must not cost the square of its length.
    @Test func manyMarksInARow() {
        var bytes: [UInt8] = [0x61]
        for index in 0 ..< 200_000 { UTF8Text.append(index % 2 == 0 ? 0x301 : 0x323, to: &bytes) }
        let result = normalized(bytes)
        #expect(result.count == 400_001, "a and the first dot below compose to U+1EA1: three bytes for three; as tokenizers 0.23.3 has it")
    }

    @Test func repairReplacesSurrogatesAndInvalidBytes() {
        func repaired(_ bytes: [UInt8]) -> (String, Int, Int) {
            let (text, surrogates, invalid) = bytes.withUnsafeBufferPointer(UTF8Text.repaired)
            return (String(decoding: text, as: UTF8.self), surrogates, invalid)
        }
        #expect(repaired([0x61, 0xED, 0xA0, 0x80, 0x62]) == ("a\u{FFFD}b", 1, 0))
        #expect(repaired([0xED, 0xB0, 0x80, 0xED, 0xA0, 0x80]) == ("\u{FFFD}\u{FFFD}", 2, 0))
        #expect(repaired([0xFF, 0x61, 0xC0, 0x80]) == ("\u{FFFD}a\u{FFFD}\u{FFFD}", 0, 3))
        #expect(repaired([0xE4, 0xB8]) == ("\u{FFFD}\u{FFFD}", 0, 2))
        #expect(repaired([0xF4, 0x90, 0x80, 0x80]) == ("\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}", 0, 4))
        #expect(repaired(Array("é漢😀".utf8)) == ("é漢😀", 0, 0))
    }

    /// Swift's own validation is the plain version.
    @Test func validPrefixAgreesWithSwift() {
        var generator = SeededGenerator(seed: 1)
        let parts: [[UInt8]] = [Array("abcdefghij".utf8), Array("é".utf8), Array("漢字".utf8), Array("😀".utf8), [0xED, 0xA0, 0x80], [0xC3], [0xF0, 0x9F], [0x80], [0xC1, 0x81], [0xE0, 0x80, 0x80]]
        for round in 0 ..< 3_000 {
            let bytes = (0 ..< Int.random(in: 0 ... 6, using: &generator)).flatMap { _ in parts[Int.random(in: 0 ..< (round % 2 == 0 ? 4 : parts.count), using: &generator)] }
            let prefix = bytes.withUnsafeBufferPointer(UTF8Text.validPrefix)
            #expect((prefix == bytes.count) == (String(validating: bytes, as: UTF8.self) != nil), "\(bytes)")
            #expect(String(validating: bytes[..<prefix], as: UTF8.self) != nil, "\(bytes)")
        }
    }
}
