import Testing
@Test func placeholderSystemIOTests() { #expect(1 + 1 == 2) }
