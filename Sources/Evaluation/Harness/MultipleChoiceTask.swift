import BenchmarkData
import JSON

/// A benchmark of questions with given answers, as lm-eval 0.4.13 poses and scores it: a task is data, made from its documents by a function
/// a benchmark (`arcChallenge`), and everything after that is the same for all of them.
public struct MultipleChoiceTask: Sendable {
    /// One document as the model sees it.
    public struct Question: Sendable, Equatable {
        /// The text that asks.
        public var text: Text
        /// The answers, without the space in front of them.
        public var choices: [Text]
        /// Index of the right one.
        public var gold: Int
    }

    public enum Metric: String, Sendable, CaseIterable {
        /// The most likely answer is the right one.
        case accuracy = "acc"
        /// The same with each log-likelihood divided by its answer's length in code points.
        case normalizedAccuracy = "acc_norm"
    }

    public var name: String
    public var version: String
    /// What is evaluated: "test" or "validation".
    public var split: String
    public var questions: [Question]
    /// Worked examples are drawn from these; nil when the files for it are not there.
    public var examples: [Question]?
    /// Which split they are: "train" or "validation".
    public var exampleSplit: String?
    public var metrics: [Metric]

    static let targetDelimiter: Text = " "
    static let exampleDelimiter: Text = "\n\n"
}

extension MultipleChoiceTask {
    /// arc_challenge 1.0: evaluated on test, worked examples from train, or from validation where there is no train file.
    public static func arcChallenge(_ splits: BenchmarkSplits<ARCDocument>) -> MultipleChoiceTask {
        func question(_ document: ARCDocument) -> Question {
            Question(text: Text("Question: ") + document.question + Text("\nAnswer:"), choices: document.choices, gold: document.gold)
        }
        return MultipleChoiceTask(
            name: "arc_challenge", version: "1.0", split: "test", questions: splits.test.map(question),
            examples: (splits.train ?? splits.validation)?.map(question),
            exampleSplit: splits.train != nil ? "train" : splits.validation != nil ? "validation" : nil,
            metrics: [.accuracy, .normalizedAccuracy])
    }
}
