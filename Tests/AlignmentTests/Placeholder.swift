import Testing
@Test func placeholderAlignmentTests() { #expect(1 + 1 == 2) }
