import Testing
@Test func placeholderChecksumsTests() { #expect(1 + 1 == 2) }
