import Testing
@testable import JSON

/// simdjson and the plain checker must agree on what is JSON, for every damaged form of a document that has everything in it.
@Suite struct JSONFaultFinderTests {
    private static let document = Array(#"{"a":[1,-2.5e+3,0.0,""," \"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é😀"],"b":{"c":null,"d":true,"e":false,"f":{},"g":[[]]}, "h" : 10 }"#.utf8)
    private static let replacements = Array(#"{}[]":,\0e9.-+tnfu "#.utf8) + [0x00, 0x0A, 0x1F, 0x7F, 0x80, 0xBF, 0xC3, 0xED, 0xF0, 0xFF]

    private func agree(_ bytes: [UInt8], _ parser: JSONParser, _ damage: String) {
        let fault = bytes.withUnsafeBufferPointer { JSONFaultFinder.firstFault(in: $0, maximumDepth: parser.limits.maximumDepth) }
        let isAccepted = (try? parser.read(bytes) { _ in true }) ?? false
        #expect((fault == nil) == isAccepted, "\(damage): simdjson \(isAccepted ? "accepts" : "refuses"), the checker says \(fault.map { "\($0)" } ?? "fine")")
        if let fault { #expect(fault.offset <= bytes.count, "\(damage)") }
    }

    @Test func agreesOnEveryCut() {
        let parser = JSONParser()
        for length in 0...Self.document.count { agree(Array(Self.document[..<length]), parser, "cut at \(length)") }
    }

    @Test func agreesOnEveryBitFlip() {
        let parser = JSONParser()
        for at in Self.document.indices {
            for bit in 0..<8 {
                var bytes = Self.document
                bytes[at] ^= 1 << bit
                agree(bytes, parser, "bit \(bit) of byte \(at)")
            }
        }
    }

    @Test func agreesOnEveryReplacementInsertionAndDeletion() {
        let parser = JSONParser()
        for at in Self.document.indices {
            var deleted = Self.document
            deleted.remove(at: at)
            agree(deleted, parser, "byte \(at) deleted")
            for byte in Self.replacements {
                var replaced = Self.document
                replaced[at] = byte
                agree(replaced, parser, "byte \(at) replaced by \(byte)")
                var inserted = Self.document
                inserted.insert(byte, at: at)
                agree(inserted, parser, "\(byte) inserted at \(at)")
            }
        }
    }

    @Test func agreesOnDepth() {
        let parser = JSONParser(limits: JSONLimits(maximumDepth: 3))
        for json in ["[[[1]]]", "[[[[]]]]", "[[[[1]]]]", "[[[{}]]]", #"{"a":{"a":{"a":1}}}"#, #"{"a":{"a":{"a":[1]}}}"#, #"[{"a":[{"a":1}]}]"#, "[[[],[],[1],2]]"] {
            agree(Array(json.utf8), parser, json)
        }
    }
}
