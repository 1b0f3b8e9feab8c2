import Testing
@Test func placeholderRunDatabaseTests() { #expect(1 + 1 == 2) }
