import JSON
import Testing

@Suite struct JSONLocatorTests {
    @Test(arguments: [
        ([], 1), ([.key("a")], 7), ([.key("a"), .index(0)], 8), ([.key("a"), .index(2), .key("d")], 34), ([.key("b")], 50), ([.key("e"), .index(1)], 65),
        // Nowhere: the innermost container there is.
        ([.key("x")], 1), ([.key("a"), .index(9)], 7), ([.key("b"), .key("c")], 50), ([.index(0)], 1),
    ] as [([JSONStep], Int)]) func offsets(path: [JSONStep], expected: Int) {
        let text = #" {"a": [1, "x\"]}", {"c" : 2, "d":[3 ]} ] , "b" : null, "e":[ [],-1.5e3]}"#
        let offset = Array(text.utf8).withUnsafeBufferPointer { JSONLocator.offset(of: path, in: $0) }
        #expect(offset == expected, "\(JSONStep.words(path)): \(text.dropFirst(offset).prefix(8))")
    }

    @Test func words() { #expect(JSONStep.words([.key("segments"), .index(2), .key("start")]) == "segments[2].start") }
}
