import JSON
import Testing
@testable import PreferenceData

@Suite struct RaterTests {
    private func rate(_ rater: Rater, _ response: String, prompt: String = "") -> Double { rater.rate(Text(response), prompt: Text(prompt)) }

    @Test func brevityFallsWithWords() {
        #expect(rate(.brevity, "") == 5 && rate(.brevity, " -- \n!") == 5)
        #expect(rate(.brevity, Array(repeating: "word", count: 100).joined(separator: "\t")) == 3)
        #expect(rate(.brevity, Array(repeating: "word,", count: 300).joined(separator: " ")) == 2)
    }

    @Test func formattingCountsLines() {
        #expect(rate(.formatting, "") == 1 && rate(.formatting, "Plain text.\nMore of it.") == 1)
        #expect(rate(.formatting, "# Title\n\n- one\n  * two\n10. three\n| a | b |\n> said\n---") == 5)
        #expect(rate(.formatting, "Text\n```\nx = 1\n\ny = 2\n```\nText\nText\nText") == 3)
        // What looks like markup and is none.
        for line in ["#hashtag", "-5 degrees", "*bold* text", "1.5 metres", "1999 was", "+1 from me", "####### seven", "__init__ is"] {
            #expect(rate(.formatting, line) == 1, "\(line)")
        }
    }

    @Test func diversityDoesNotFallWithLength() {
        #expect(rate(.lexicalDiversity, "") == 1)
        #expect(rate(.lexicalDiversity, "Yes yes, YES! no") == 3)
        let varied = (0 ..< 400).map { "w\($0 % 60)" }.joined(separator: " ")
        #expect(rate(.lexicalDiversity, varied) == 5, "any 50 in a row are different")
        let half = (0 ..< 400).map { "w\($0 % 25)" }.joined(separator: " ")
        #expect(rate(.lexicalDiversity, half) == 3)
        #expect(rate(.lexicalDiversity, half + " " + half) == 3)
        // 99 words, of which the first 50 are one word: 50 windows with 1, 2, ... 50 different words.
        let rising = (Array(repeating: "a", count: 50) + (0 ..< 49).map { "b\($0)" }).joined(separator: " ")
        #expect(rate(.lexicalDiversity, rising) == 3.04)
    }

    @Test func echoLooksAtTheBeginning() {
        let prompt = "What is the capital city of Bavaria?"
        #expect(rate(.questionEcho, "The capital city of Bavaria is Munich.", prompt: prompt) == 1 + 4 * 0.75, "of what, capital, city and Bavaria")
        #expect(rate(.questionEcho, "Munich.", prompt: prompt) == 1)
        #expect(rate(.questionEcho, String(repeating: "word ", count: 30) + prompt, prompt: prompt) == 1)
        #expect(rate(.questionEcho, prompt, prompt: prompt) == 5 && rate(.questionEcho, "anything", prompt: "Why?") == 1)
    }

    @Test func refusalsAreFoundAtTheBeginning() {
        for text in ["I'm sorry, but I can't help.", "As an AI, I have no body.", "I\u{2019}m sorry, but no.", "Well. I CANNOT do that"] {
            #expect(rate(.nonRefusal, text) == 1, "\(text)")
        }
        for text in ["", "Sure!", "I'm sorry to hear that; here is how.", String(repeating: "x", count: 200) + "I cannot do that", "Aspirin as an aid"] {
            #expect(rate(.nonRefusal, text) == 5, "\(text)")
        }
    }

    @Test func everyRaterStaysWithinItsScale() {
        for rater in Rater.allCases {
            for text in ["", " ", "a", "\u{1F600} \u{4E2D}\u{6587}", "``` \n", "---", String(repeating: "- x\n", count: 1000)] {
                let rating = rate(rater, text, prompt: text)
                #expect((1 ... 5).contains(rating), "\(rater) of \(text.prefix(20)): \(rating)")
            }
            #expect(rater.dimension.description == rater.rawValue.replacing("-", with: "_"))
        }
    }
}
