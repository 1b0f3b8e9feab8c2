import Testing
@testable import JSON

@Suite struct JSONParserTests {
    @Test func readsEveryKindOfValue() throws {
        let value = try JSON.parse(#" {"a": [1, -2, 2.5, 1e3], "b": {"c": null, "d": true, "e": false}, "f": "x\ny", "g": [], "h": {}} "#)
        #expect(value == ["a": [1, -2, 2.5, 1000.0], "b": ["c": nil, "d": true, "e": false], "f": "x\ny", "g": [], "h": [:]])
        #expect(value["b"]?["d"]?.bool == true)
        #expect(value["a"]?[1]?.int == -2)
        #expect(value["a"]?[2]?.double == 2.5)
        #expect(value["a"]?[9] == nil)
        #expect(value["f"]?.string == "x\ny")
        #expect(value["zz"] == nil)
    }

    @Test func theParserIsReusedAndItsBuffersGrow() throws {
        let parser = JSONParser()
        for length in [1, 10, 5000, 3, 200_000, 0] {
            let text = String(repeating: "é", count: length)
            try parser.read(Array("[\"\(text)\"]".utf8)) { root in
                #expect(root.elements.map { Array($0) }?.first?.text == Text(text), "\(length) characters")
            }
        }
    }

    /// A document that stands amid other bytes is read where it is: the same values and errors as of a copy, whatever follows it.
    @Test(arguments: loneSurrogateCases.map(\.0) + [
        #"{"a":[1,2.5,-3,"x\n"]}"#, "12", #""text"#, #""text\"#, "[1,2", #"{"a":tru"#, "", "  ", #"["\ud83"#, String(repeating: #"["longer than the padding",1],"#, count: 40),
    ])
    func readsADocumentInPlace(json: String) {
        func outcome(_ bytes: [UInt8], _ count: Int, behind: Int) -> String {
            bytes.withUnsafeBufferPointer { buffer in
                do { return "\(try JSONParser().read(UnsafeBufferPointer(rebasing: buffer[..<count]), behind: behind) { JSONValue($0) })" } catch { return "\(error)" }
            }
        }
        let document = Array(json.utf8), expected = outcome(document, document.count, behind: 0)
        for tail in ["\"\"\"}]", "1234567890", "rue}", "\u{0}", ",[{\"a\":"] {
            let padding = (0 ..< 64).map { Array(tail.utf8)[$0 % tail.utf8.count] }
            #expect(outcome(document + padding, document.count, behind: padding.count) == expected, "before \(tail)")
            // In an array with room that others have written to.
            var array = document + padding
            array.removeLast(padding.count)
            let read = Result { try JSONParser().read(array) { JSONValue($0) } }
            #expect(array.capacity >= document.count + 64 && (try? read.get()) == (try? JSON.parse(document)))
        }
    }

    @Test func theCursorWalksWithoutCopies() throws {
        let parser = JSONParser()
        try parser.read(Array(#"{"k":"first","n":[1,[2,3],{"x":4}],"big":18446744073709551615,"k":"last","d":0.5}"#.utf8)) { root in
            #expect(root.kind == .object)
            #expect(root["k"]?.isString("last") == true, "the last of two equal keys counts")
            #expect(root["k"]?.isString("las") == false)
            #expect(root[text: "d"]?.double == 0.5)
            #expect(root["n"]?.elements?.count == 3)
            #expect(root["n"]?.elements?.compactMap(\.integer) == [1])
            #expect(root["big"]?.integer == nil)
            #expect(root["big"]?.unsigned == UInt64.max)
            #expect(root["absent"] == nil)
            #expect(root["n"]?["x"] == nil, "an array has no keys")
            #expect(root.members?.map { String(decoding: $0.key, as: UTF8.self) } == ["k", "n", "big", "k", "d"])
            #expect(root["n"]?.typeName == "an array")
        }
    }

    /// Every escape that stands alone survives, whatever stands around it, and private-use characters of the same length are not mistaken for one.
    @Test(arguments: loneSurrogateCases)
    func keepsLoneSurrogates(json: String, bytes: [UInt8]) throws {
        let value = try JSON.parse(json)
        #expect(value.text?.bytes == bytes, "\(json)")
        #expect(try JSON.parse(value.canonical) == value, "\(json) written and read again")
    }

    @Test func loneSurrogatesInKeysAndAmongNumbers() throws {
        // The words of numbers on the tape can look like strings: 0x22 in the top byte is a quote.
        let value = try JSON.parse(#"{"\udc00": [2449958197289549824, 1.4916681462400413e-154, "\ud800"], "x": "\uE000"}"#)
        let members = try #require(value.object)
        #expect(members[0].key.bytes == [0xED, 0xB0, 0x80])
        #expect(members[0].value[0] == .integer(2_449_958_197_289_549_824))
        #expect(members[0].value[2]?.text?.bytes == [0xED, 0xA0, 0x80])
        #expect(value["x"]?.text == Text("\u{E000}"))
    }

    @Test func integersBeyondInt64AreDoublesAndBeyondUInt64Errors() throws {
        #expect(try JSON.parse("9223372036854775807") == .integer(.max))
        #expect(try JSON.parse("-9223372036854775808") == .integer(.min))
        #expect(try JSON.parse("9223372036854775808") == .number(9223372036854775808))
        #expect(throws: JSONError("the integer 18446744073709551616 does not fit 64 bits", offset: 1, line: 1, column: 2)) {
            try JSON.parse("[18446744073709551616]")
        }
        #expect(throws: JSONError("the number 1e999 is beyond the range of a double", offset: 6, line: 2, column: 5)) {
            try JSON.parse("{\n\"a\":1e999}")
        }
        #expect(try JSON.parse("1e-999") == .number(0))
    }

    @Test func hugeIntegersAreRoundedWhereAskedFor() throws {
        let limits = JSONLimits(roundsHugeIntegers: true)
        let config = #"{"a": 1000000000000000019884624838656, "b": [-18446744073709551616,2], "c": 3}"#
        #expect(try JSON.parse(config, limits: limits) == ["a": .number(1e30), "b": [.number(-18_446_744_073_709_551_616), 2], "c": 3])
        #expect(throws: JSONError("expected ',' or '}', found the end", offset: 30, line: 1, column: 31)) { try JSON.parse(#"{"a": 18446744073709551616000 "#, limits: limits) }
        #expect(throws: JSONError("expected a value, found ','", offset: 52, line: 2, column: 27)) {
            try JSON.parse("[18446744073709551616000,\n18446744073709551616000,  ,", limits: limits)
        }
        #expect(throws: JSONError.self) { try JSON.parse("[" + String(repeating: "99999999999999999999,", count: 100) + "1]", limits: limits) }
    }

    @Test(arguments: [
        ("", "line 1, column 1: no JSON value, only white space or nothing"),
        (" \n", "line 2, column 1: no JSON value, only white space or nothing"),
        (#"{"a" 1}"#, "line 1, column 6: expected ':' after the key, found '1'"),
        ("{\n  \"a\": 1,\n  b: 2\n}", "line 3, column 3: expected a key in double quotes, found 'b'"),
        (#"[1,2"#, "line 1, column 5: expected ',' or ']', found the end"),
        (#"{"a":[1 2]}"#, "line 1, column 9: expected ',' or ']', found '2'"),
        (#"{"a":1,}"#, "line 1, column 8: expected a key in double quotes, found '}'"),
        (#"[1,]"#, "line 1, column 4: expected a value, found ']'"),
        (#"["abc]"#, "line 1, column 2: the string has no end"),
        (#"["a\x"]"#, "line 1, column 4: no such escape in a string"),
        (#"["\u12g4"]"#, "line 1, column 3: expected four hexadecimal digits after \\u"),
        ("[\"a\tb\"]", "line 1, column 4: a control character (byte 9) inside a string must be escaped"),
        ("[\"a\0\"]", "line 1, column 4: a control character (byte 0) inside a string must be escaped"),
        ("[1]\0", "line 1, column 4: expected the end of the document, found byte 0x0"),
        ("{} {}", "line 1, column 4: expected the end of the document, found '{'"),
        ("[truth]", "line 1, column 2: expected a value, found 't'"),
        ("[01]", "line 1, column 2: a number does not begin with 0"),
        ("[1.]", "line 1, column 4: expected a digit after the decimal point, found ']'"),
        ("[-]", "line 1, column 3: expected a digit, found ']'"),
        ("[NaN]", "line 1, column 2: expected a value, found 'N'"),
        ("[1]é", "line 1, column 4: expected the end of the document, found 'é'"),
    ])
    func namesThePlaceOfTheFirstFault(json: String, message: String) {
        let error = #expect(throws: JSONError.self) { try JSON.parse(json) }
        #expect(error?.description == message, "\(json)")
    }

    @Test(arguments: [[0xFF], [0xC3, 0x28], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC0, 0xAF]] as [[UInt8]])
    func refusesBytesThatAreNoUTF8(bytes: [UInt8]) {
        let error = #expect(throws: JSONError.self) { try JSON.parse(Array("[\"ab".utf8) + bytes + Array("\"]".utf8)) }
        #expect(error?.description == "line 1, column 5: the text is not UTF-8", "\(bytes)")
    }

    @Test func aByteOrderMarkIsSkippedAtTheStartAlone() throws {
        #expect(try JSON.parse([0xEF, 0xBB, 0xBF] + Array("[1]".utf8)) == [1])
        let error = #expect(throws: JSONError.self) { try JSON.parse([0xEF, 0xBB, 0xBF] + Array("[1,]".utf8)) }
        #expect(error?.offset == 6)
        #expect(throws: JSONError("a byte order mark, which belongs at the start of a file only", offset: 0, line: 1, column: 1)) {
            try JSON.parse([0xEF, 0xBB, 0xBF] + Array("[1]".utf8), limits: JSONLimits(skipsByteOrderMark: false))
        }
        #expect(throws: JSONError.self) { try JSON.parse(Array(" ".utf8) + [0xEF, 0xBB, 0xBF] + Array("[1]".utf8)) }
    }

    @Test func limitsHold() throws {
        func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth) }
        #expect(try JSON.parse(nested(512)).array != nil)
        #expect(throws: JSONError("more than 512 arrays and objects inside one another", offset: 513, line: 1, column: 514)) { try JSON.parse(nested(513)) }
        #expect(throws: JSONError.self) { try JSON.parse(nested(100_000)) }
        #expect(throws: JSONError("5 bytes of JSON, the limit is 4")) { try JSON.parse("[100]", limits: JSONLimits(maximumBytes: 4)) }
        #expect(throws: JSONError("the key \"a\" stands twice in one object")) {
            try JSON.parse(#"[{"a":1,"b":{"a":1}},{"a":1,"\u0061":2}]"#, limits: JSONLimits(refusesDuplicateKeys: true))
        }
        #expect(try JSON.parse(#"{"a":1,"b":{"a":1}}"#, limits: JSONLimits(refusesDuplicateKeys: true))["a"] == 1)
    }
}

private let loneSurrogateCases: [(String, [UInt8])] = {
    var cases: [(String, [UInt8])] = []
    func add(_ json: String, _ parts: [UInt8]...) { cases.append((json, parts.flatMap { $0 })) }
    func utf8(_ string: String) -> [UInt8] { Array(string.utf8) }
    add(#""\ud83d""#, [0xED, 0xA0, 0xBD])
    add(#""\uDE00""#, [0xED, 0xB8, 0x80])
    add(#""\ud83d\ude00""#, utf8("😀"))
    add(#""\ud83d\ud83d\ude00""#, [0xED, 0xA0, 0xBD], utf8("😀"))
    add(#""\ude00\ud83d""#, [0xED, 0xB8, 0x80, 0xED, 0xA0, 0xBD])
    add(#""\ue03d\ud83d\uE03D""#, utf8("\u{E03D}"), [0xED, 0xA0, 0xBD], utf8("\u{E03D}"))
    add("\"\u{E7FF}\\udfff\u{E000}\"", utf8("\u{E7FF}"), [0xED, 0xBF, 0xBF], utf8("\u{E000}"))
    add(#""\\ud83d\ud83d\n""#, utf8(#"\ud83d"#), [0xED, 0xA0, 0xBD, 0x0A])
    add(#""\ud83d\\ude00""#, [0xED, 0xA0, 0xBD], utf8(#"\ude00"#))
    add(#""\ud800\u0000\udc00""#, [0xED, 0xA0, 0x80, 0, 0xED, 0xB0, 0x80])
    return cases
}()
