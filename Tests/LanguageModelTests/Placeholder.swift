import Testing
@Test func placeholderLanguageModelTests() { #expect(1 + 1 == 2) }
