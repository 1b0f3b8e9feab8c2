import Testing
@Test func placeholderInputFilesTests() { #expect(1 + 1 == 2) }
