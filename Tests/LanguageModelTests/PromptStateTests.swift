import SystemIO
import Testing
import TestSupport
@testable import LanguageModel

/// Computing in pieces equals computing at once.
struct PromptStateTests {
    @Test func branchesFromAKeptPrompt() throws {
        let configuration = TestModels.configuration(tied: true), model = LanguageModel(parameters: try TestModels.random(configuration, seed: 4), workers: 2)
        let (whole, scored) = TestModels.tree([(80, nil), (5, 0), (70, 0), (1, 0), (4, 2)], vocabulary: configuration.vocabularySize, seed: 7)
        let expected = try model.forward(whole, scored: scored, wantsGreedy: true)
        let state = try PromptState(configuration, capacity: whole.count)

        // The context first, unscored; then everything, scored, its last row included.
        let context = TokenTree(Array(whole.tokens[whole.segments[0].range]))
        #expect(try model.forward(context, scored: ScoredTokens(), state: state).logProbs.isEmpty)
        #expect(state.count == 80)
        for round in 0 ..< 2 {
            let scores = try model.forward(whole, scored: scored, state: state, wantsGreedy: true)
            for (index, (mine, theirs)) in zip(scores.logProbs, expected.logProbs).enumerated() { #expect(EngineTests.isSame(mine, theirs), "round \(round), token \(index)") }
            #expect(scores.greedy == expected.greedy)
            #expect(state.count == whole.count)
            // Back to the context: the same again.
            state.cut(toSegments: 1)
            #expect(state.count == 80)
        }
    }

    @Test func refusesAnotherTree() throws {
        let configuration = TestModels.configuration(tied: true), model = LanguageModel(parameters: try TestModels.random(configuration, seed: 4), workers: 1)
        let state = try PromptState(configuration, capacity: 6)
        _ = try model.forward(TokenTree([1, 2, 3]), scored: ScoredTokens(), state: state)
        let mismatch = InputError("the tree does not begin with the state's rows", status: .internalError)
        #expect(throws: mismatch) { try model.forward(TokenTree([1, 2, 4, 5]), scored: ScoredTokens(), state: state) }
        #expect(throws: mismatch) { try model.forward(TokenTree([1, 2]), scored: ScoredTokens(), state: state) }
        #expect(throws: InputError("7 tokens; the state holds 6", status: .internalError)) {
            try model.forward(TokenTree([1, 2, 3, 4, 5, 6, 7]), scored: ScoredTokens(), state: state)
        }
        #expect(throws: InputError("activations cannot be kept for rows that were computed before", status: .internalError)) {
            try model.forward(TokenTree([1, 2, 3, 4]), scored: ScoredTokens(), keepingActivations: true, state: state)
        }
        _ = try model.forward(TokenTree([1, 2, 3, 4]), scored: ScoredTokens(), state: state)
    }

    @Test func generationStops() throws {
        let configuration = TestModels.configuration(tied: true), model = LanguageModel(parameters: try TestModels.random(configuration, seed: 4), workers: 1)
        let free = try model.generateGreedily(after: [1, 2, 3], limit: 20).map(\.token)
        #expect(free.count == 20)
        let stop = free[7], place = try #require(free.firstIndex(of: stop))
        #expect(try model.generateGreedily(after: [1, 2, 3], limit: 20, stops: [stop]).map(\.token) == Array(free[0 ..< place]))
        #expect(try model.generateGreedily(after: [UInt32](repeating: 3, count: 510), limit: 20).count == 2)
        #expect(throws: InputError("nothing to continue: the prompt has no tokens")) { try model.generateGreedily(after: [], limit: 1) }
    }
}
