import Testing
@Test func placeholderModelFilesTests() { #expect(1 + 1 == 2) }
