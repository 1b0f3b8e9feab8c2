import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing
@testable import PreferenceData

@Suite struct DuplicateIndexTests {
    private static func sketch(_ text: String) -> PromptSketch {
        PromptSketch([Turn(role: "user", content: Text(text))])
    }

    @Test func normalisationIsBlindToFormAlone() {
        let base = Self.sketch("Tell me a story, please!")
        for same in ["tell me a story please", "  Tell\tme \"a\" story:\nPLEASE...", "Tell - me a story please"] { #expect(Self.sketch(same) == base, "\(same)") }
        for other in ["Tell me a story", "Tell me a storyplease", "Tell me story a please", "Tell me a störy please"] { #expect(Self.sketch(other).digest != base.digest, "\(other)") }
        #expect(base.shingles.count == 3 && base.shingles.sorted() == base.shingles)
        #expect(Self.sketch("").shingles.isEmpty && Self.sketch("one two").shingles.count == 1)
    }

    /// Prompts with a known share of 3-grams in common: every other word changed, a tail cut, and so on.
    private static func corpus(_ count: Int, seed: UInt64) -> [PromptSketch] {
        var generator = SeededGenerator(seed: seed), sketches: [PromptSketch] = []
        while sketches.count < count {
            let length = Int.random(in: 4 ... 160, using: &generator)
            let words = (0 ..< length).map { _ in "w\(Int.random(in: 0 ..< 3000, using: &generator))" }
            sketches.append(sketch(words.joined(separator: " ")))
            // Variants from nearly equal to half different, many of them around the threshold.
            for _ in 0 ..< 4 {
                var variant = words
                for _ in 0 ..< Int.random(in: 0 ... max(1, length / 12), using: &generator) { variant[Int.random(in: 0 ..< variant.count, using: &generator)] = "v\(Int.random(in: 0 ..< 3000, using: &generator))" }
                if Bool.random(using: &generator) { variant += (0 ..< Int.random(in: 0 ... length / 6, using: &generator)).map { "t\($0)" } }
                sketches.append(sketch(variant.joined(separator: " ")))
            }
        }
        return Array(sketches.prefix(count))
    }

    /// Against brute force over all pairs: recall and precision of at least 0.95 at a similarity of 0.8 were asked for; candidates are compared exactly here, so no
    /// removal is wrong.
    @Test func nearDuplicatesAreThoseOfBruteForce() {
        let sketches = Self.corpus(3000, seed: 3)
        var index = DuplicateIndex(.near), kept: [PromptSketch] = []
        var removed = 0, missed = 0, wrong = 0, nearThreshold = 0
        for sketch in sketches {
            let best = kept.map { sketch.digest == $0.digest ? 1 : sketch.similarity($0) }.max() ?? 0
            if abs(best - 0.8) < 0.1 { nearThreshold += 1 }
            let match = index.addUnlessKnown(sketch)
            if let match {
                removed += 1
                if best < DuplicateIndex.threshold { wrong += 1 }
                #expect(abs(match.similarity - best) < 1e-12 || match.similarity >= DuplicateIndex.threshold)
            } else {
                if best >= DuplicateIndex.threshold { missed += 1 }
                kept.append(sketch)
            }
        }
        print("near duplicates: \(removed) removed, \(missed) missed, \(wrong) wrong, \(nearThreshold) within 0.1 of the threshold")
        #expect(removed > 800 && nearThreshold > 300)
        #expect(wrong == 0 && Double(missed) <= 0.002 * Double(removed + missed))
        #expect(index.count == kept.count)
    }

    /// Of prompts longer than the sketch the similarity is an estimate.
    @Test func longPromptsAreEstimated() {
        let words: [String] = (0 ..< 6000).map { "w\($0 * 7919 % 100_003)" }
        func shingles(_ words: [String]) -> Set<[String]> { Set((0 ... words.count - 3).map { Array(words[$0 ..< $0 + 3]) }) }
        for share in [0, 20, 100, 300] {
            let changed: [String] = words.indices.map { ($0 * 31) % 1000 < share ? "x\($0)" : words[$0] }
            let a = shingles(words), b = shingles(changed)
            let exact = Double(a.intersection(b).count) / Double(a.union(b).count)
            let sketch = Self.sketch(words.joined(separator: " "))
            #expect(sketch.shingles.count == PromptSketch.mostShingles)
            let estimate = sketch.similarity(Self.sketch(changed.joined(separator: " ")))
            #expect(abs(estimate - exact) < 0.05, "\(share)")
        }
    }

    @Test func exactModeTakesTheSameWordsOnly() {
        var index = DuplicateIndex(.exact)
        #expect(index.addUnlessKnown(Self.sketch("How are you?")) == nil)
        #expect(index.addUnlessKnown(Self.sketch("How are you today?")) == nil)
        #expect(index.addUnlessKnown(Self.sketch("how ARE you")) == .init(prompt: 0, similarity: 1))
        #expect(index.count == 2)
        // A prompt without words is one prompt.
        #expect(index.addUnlessKnown(Self.sketch("?!")) == nil && index.addUnlessKnown(Self.sketch("")) == .init(prompt: 2, similarity: 1))
    }
}
