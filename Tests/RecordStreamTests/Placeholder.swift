import Testing
@Test func placeholderRecordStreamTests() { #expect(1 + 1 == 2) }
