import Testing
@Test func placeholderPackingTests() { #expect(1 + 1 == 2) }
