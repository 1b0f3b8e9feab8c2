import JSON
import SystemIO

/// "How likely is this continuation of this context?": what a task asks of a model, in text.
public struct LogLikelihoodRequest: Sendable, Equatable {
    /// Index of the document in the evaluated split, and of the choice in the document.
    public var document: Int
    public var choice: Int
    public var context: Text
    public var continuation: Text
}

extension MultipleChoiceTask {
    /// lm-eval's default for `fewshot_seed`.
    public static let exampleSeed: UInt64 = 1234

    /// One request a choice, documents in order and choices in order within them.
    /// - Parameters:
    ///   - shots: worked examples in front of each question, drawn anew for each document from one generator: the documents' order matters.
    ///   - limit: only the first so many documents.
    /// Throws `.missingInput` when examples are asked for and there are none, `.usage` when there are too few.
    public func requests(shots: Int = 0, limit: Int? = nil) throws -> [LogLikelihoodRequest] {
        let pool = shots > 0 ? try examplePool(shots) : []
        var generator = PythonRandom(seed: MultipleChoiceTask.exampleSeed)
        var requests: [LogLikelihoodRequest] = []
        for (number, question) in questions.prefix(limit ?? .max).enumerated() {
            var context = Text()
            if shots > 0 {
                for index in generator.sample(population: pool.count, count: shots) { context.bytes += workedExample(pool[index]).bytes }
            }
            context.bytes += question.text.bytes
            for (choice, text) in question.choices.enumerated() {
                requests.append(LogLikelihoodRequest(document: number, choice: choice, context: context, continuation: Self.targetDelimiter + text))
            }
        }
        return requests
    }

    private func examplePool(_ shots: Int) throws -> [Question] {
        guard let examples else {
            throw InputError("\(name): \(shots) worked examples are asked for, but there is no train or validation file to draw them from", status: .missingInput)
        }
        guard shots <= examples.count else {
            throw InputError("\(name): \(shots) worked examples are asked for, the \(exampleSplit ?? "") file has \(examples.count)", status: .usage)
        }
        return examples
    }

    private func workedExample(_ question: Question) -> Text {
        let answer = question.choices[question.gold]
        // lm-eval writes no delimiter in front of an empty answer.
        return question.text + (answer.isEmpty ? Text() : Self.targetDelimiter + answer) + Self.exampleDelimiter
    }
}
