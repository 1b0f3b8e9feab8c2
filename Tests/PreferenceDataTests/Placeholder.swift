import Testing
@Test func placeholderPreferenceDataTests() { #expect(1 + 1 == 2) }
