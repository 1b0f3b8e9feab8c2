import Testing
@Test func placeholderNumericsTests() { #expect(1 + 1 == 2) }
