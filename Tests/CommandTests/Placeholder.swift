import Testing
@Test func placeholderCommandTests() { #expect(1 + 1 == 2) }
