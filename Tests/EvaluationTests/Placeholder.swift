import Testing
@Test func placeholderEvaluationTests() { #expect(1 + 1 == 2) }
