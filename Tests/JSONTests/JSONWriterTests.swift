import Testing
@testable import JSON

@Suite struct JSONWriterTests {
    private func canonical(_ json: String) throws -> String { String(decoding: try JSON.parse(json).canonical, as: UTF8.self) }

    @Test func theCanonicalFormDoesNotDependOnTheWriting() throws {
        let form = #"{"":0,"A":[1,2.0,true,null],"a":"\u000a\u0009\"\\/é😀\u007f","é":{}}"#.replacing(#"\u007f"#, with: "\u{7F}")
        #expect(try canonical(#" { "é" : { } , "a" : "\n\t\"\\\/\u00e9\ud83d\ude00\u007f", "A":[ 1, 2.0, true, null], "":0 } "#) == form)
        #expect(try canonical(form) == form, "a fixed point")
    }

    @Test(arguments: [
        ("0.1", "0.1"), ("1E2", "100.0"), ("-0.0", "-0.0"), ("1e22", "1e+22"), ("5e-324", "5e-324"), ("0.30000000000000004", "0.30000000000000004"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"), ("123456789012345678", "123456789012345678"), ("1e-7", "1e-07"),
    ])
    func numbersHaveTheirShortestDigits(json: String, form: String) throws {
        #expect(try canonical(json) == form)
        #expect(try JSON.parse(form).double == JSON.parse(json).double)
    }

    @Test func refusesWhatJSONCannotSay() {
        #expect(throws: JSONError("JSON has no number for nan")) { try JSONValue.number(.nan).canonical }
        #expect(throws: JSONError("JSON has no number for -inf")) { try JSONValue.array([.number(-.infinity)]).serialized() }
        #expect(throws: JSONError("the text is not UTF-8 at byte 1")) { try JSONValue.string(Text([0x61, 0xFF])).canonical }
        #expect(throws: JSONError("the text holds a surrogate pair in two parts at byte 0")) {
            try JSONValue.string(Text([0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80])).canonical
        }
        #expect(throws: JSONError("the key \"a\" stands twice in one object")) { try JSONValue.object([("a", 1), ("b", 1), ("a", 2)]).canonical }
    }

    @Test func plainFormsKeepTheOrder() throws {
        let value: JSONValue = ["b": [1, [:], []], "a": ["x": "\n\u{1}"]]
        #expect(String(decoding: try value.serialized(), as: UTF8.self) == #"{"b":[1,{},[]],"a":{"x":"\n\u0001"}}"#)
        #expect(String(decoding: try value.serialized(indent: 2), as: UTF8.self) == """
            {
              "b": [
                1,
                {},
                []
              ],
              "a": {
                "x": "\\n\\u0001"
              }
            }
            """)
    }

    @Test func wellFormedTextIsWhatAParserYields() {
        #expect(Text("aé😀").isWellFormed)
        #expect(Text([0xED, 0xA0, 0xBD]).isWellFormed)
        #expect(Text([0xED, 0xB8, 0x80, 0xED, 0xA0, 0xBD]).isWellFormed)
        #expect(!Text([0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80]).isWellFormed)
        #expect(!Text([0xC3]).isWellFormed)
    }
}
