import Testing
@Test func placeholderBenchmarkDataTests() { #expect(1 + 1 == 2) }
