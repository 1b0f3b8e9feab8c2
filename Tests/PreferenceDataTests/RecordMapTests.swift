import JSON
import RecordStream
import SystemIO
import Testing
import TestSupport
@testable import PreferenceData

@Suite struct RecordMapTests {
    private let folder = TemporaryFolder()

    private func map(_ json: String) throws -> RecordMap {
        let file = try AtomicFile(path: folder.file("map.json"))
        try file.write(json)
        try file.finish()
        return try RecordMap(file: folder.file("map.json"))
    }

    private func fault(_ json: String) -> String? {
        let error = #expect(throws: InputError.self, "\(json)") { _ = try map(json) }
        #expect(error?.status == .invalidData)
        return error?.message.replacing(folder.file("map.json"), with: "map.json")
    }

    private func read(_ json: String, _ record: String) throws -> RawPreference {
        let map = try map(json)
        return try JSONParser().read(Array(record.utf8)) { try map.read($0, range: nil) }
    }

    @Test(arguments: [
        ("[]", "map.json: an array, expected an object with prompt, responses and ratings"),
        ("{", "map.json: expected a key in double quotes, found the end"),
        ("{}", "map.json: prompt is missing, expected a JSON Pointer, or an object with turns, role and content"),
        (#"{"prompt":"/p"}"#, "map.json: responses is missing, expected a JSON Pointer or an array of such"),
        (#"{"prompt":"p","responses":"/r/*"}"#, "map.json: \"p\" is no JSON Pointer, which begins with / as in /answers/0/text"),
        (#"{"prompt":"/p/*","responses":"/r/*"}"#, "map.json: prompt is \"/p/*\", expected a JSON Pointer without *: there is one for a record"),
        (#"{"prompt":"/p~2","responses":"/r/*"}"#, "map.json: \"/p~2\" has a ~ that is neither ~0 (for ~) nor ~1 (for /)"),
        (#"{"prompt":"/p~","responses":"/r/*"}"#, "map.json: \"/p~\" has a ~ that is neither ~0 (for ~) nor ~1 (for /)"),
        (#"{"prompt":"/p","responses":"/r/*/*"}"#, "map.json: \"/r/*/*\" has more than one *"),
        (#"{"prompt":"/p","responses":[]}"#, "map.json: responses is an empty array, expected JSON Pointers"),
        (#"{"prompt":"/p","responses":["/r/*"]}"#, "map.json: responses[0] is \"/r/*\", expected a JSON Pointer without *: there is one for a record"),
        (#"{"prompt":"/p","responses":1}"#, "map.json: responses is a number, expected a string"),
        (#"{"prompt":{"turns":"/t/*"},"responses":"/r"}"#, "map.json: prompt is an object without turns, role and content, expected a JSON Pointer for each"),
        (#"{"prompt":{"turns":"/t","role":"/a","content":"/b"},"responses":"/r"}"#, "map.json: prompt.turns is \"/t\", expected a JSON Pointer with * for every turn, as in /dialogue/*"),
        (#"{"prompt":{"turns":"/t/*","role":"/a","content":"/b","roles":[]},"responses":"/r"}"#, "map.json: prompt.roles is an array, expected an object from a speaker's name to a role"),
        (#"{"prompt":{"turns":"/t/*","role":"/a","content":"/b","names":{}},"responses":"/r"}"#, "map.json: unknown member \"names\", expected turns, role, content, roles"),
        (#"{"prompt":"/p","response":"/r","responses":"/r"}"#, "map.json: unknown member \"response\", expected source, id, system, prompt, responses, models, ratings"),
        (#"{"prompt":"/p","responses":"/r","ratings":"/s"}"#, "map.json: ratings is a string, expected an object from a dimension's name to its rule"),
        (#"{"prompt":"/p","responses":"/r","ratings":{"a":{"best":"/x"},"a":{"best":"/y"}}}"#, "map.json: the key \"a\" stands twice in one object"),
        (#"{"prompt":"/p","responses":"/r","ratings":{"a":"/s"}}"#, "map.json: ratings.a is a string, expected an object with values and range, with ranks, or with best"),
        (#"{"prompt":"/p","responses":"/r","ratings":{"a":{"values":"/s"}}}"#, "map.json: ratings.a.range is missing, expected LOW..HIGH as in 1..5: what a rating may be"),
        (#"{"prompt":"/p","responses":"/r","ratings":{"a":{"values":"/s","range":"5"}}}"#, "map.json: ratings.a.range: \"5\" is no range, expected LOW..HIGH as in 1..5"),
        (#"{"prompt":"/p","responses":"/r","ratings":{"a":{"values":"/s","range":"5..1"}}}"#, "map.json: ratings.a.range: \"5..1\" is no range, 5 is not below 1"),
        (#"{"prompt":"/p","responses":"/r","prompt":"/q"}"#, "map.json: the key \"prompt\" stands twice in one object"),
        (#"{"prompt":"/p","responses":"/r","ratings":{"a":{"ranks":"/s","best":"/b"}}}"#, "map.json: ratings.a has ranks, best, expected an object with values and range, with ranks, or with best"),
        (#"{"prompt":"/p","responses":"/r","ratings":{"a":{}}}"#, "map.json: ratings.a has , expected an object with values and range, with ranks, or with best"),
    ])
    func maps(json: String, message: String) { #expect(fault(json)?.hasPrefix(message) == true, "\(fault(json) ?? "")") }

    private let pair = #"{"prompt":"/q/text","system":"/s","responses":["/a","/b/0"],"models":["/m~0","/n"],"ratings":{"good":{"values":["/x","/b/1"],"range":"0..1"}}}"#

    @Test func onePointerForEachResponse() throws {
        let raw = try read(pair, #"{"q":{"text":"p"},"s":"be","a":"A","b":["B",0.5],"m~":"k","x":"1"}"#)
        #expect(raw.turns == [Turn(role: "system", content: "be"), Turn(role: "user", content: "p")] && raw.responses == ["A", "B"] && raw.models == ["k", ""])
        #expect(raw.source == "map" as Text && raw.values == [1, 0.5] && !raw.standsAlone)
    }

    @Test(arguments: [
        (#"{"q":{},"s":"be","a":"A","b":["B"]}"#, "/q/text is missing, expected a string"),
        (#"{"q":{"text":"p"},"s":null,"a":"A","b":["B"]}"#, "/s is null, expected a string"),
        (#"{"q":{"text":"p"},"s":"be","a":1,"b":["B"]}"#, "/a is a number, expected a string"),
        (#"{"q":{"text":"p"},"s":"be","a":"A","b":[]}"#, "/b/0 is missing, expected a string"),
        (#"{"q":{"text":"p"},"s":"be","a":"A","b":["B","good"]}"#, "/b/1 is \"good\", expected 0..1 or N/A"),
    ])
    func recordsThatDoNotFit(record: String, message: String) {
        #expect(#expect(throws: BadRecord.self) { _ = try read(pair, record) }?.message == message)
    }

    @Test func listsMustFitTheResponses() {
        let json = #"{"prompt":"/p","responses":"/r/*","ratings":{"a":{"ranks":"/s/*"}}}"#
        func fault(_ record: String) -> String? { #expect(throws: BadRecord.self) { _ = try read(json, record) }?.message }
        #expect(fault(#"{"p":"p","r":["a","b"],"s":[1]}"#) == "1 ranks of a for 2 responses")
        #expect(fault(#"{"p":"p","r":{"0":"a"},"s":[1]}"#) == "/r is an object, expected an array")
        #expect(fault(#"{"p":"p","r":["a"],"s":["one"]}"#) == "/s/0 is \"one\", expected 1..1 or N/A")
    }

    @Test func ownIDs() throws {
        let map = #"{"prompt":"/p","responses":"/r/*","id":"/k"}"#
        #expect(try read(map, #"{"p":"p","r":["a","b"],"k":"q-7"}"#).id == "q-7" as Text && read(map, #"{"p":"p","r":["a"],"k":-12}"#).id == "-12" as Text)
        #expect(try read(#"{"prompt":"/p","responses":"/r/*"}"#, #"{"p":"p","r":["a"],"k":1}"#).id == nil)
        func fault(_ id: String) -> String? { #expect(throws: BadRecord.self) { _ = try read(map, #"{"p":"p","r":["a"],"k":\#(id)}"#) }?.message }
        #expect(fault("1.5") == "/k is a number, expected a string or an integer" && fault(#""""#) == "/k has 0 bytes, expected an id of 1 to 256")
    }

    @Test func oneResponseStandsAlone() throws {
        #expect(try read(#"{"prompt":"/prompt","responses":"/response","source":"dolly"}"#, #"{"prompt":"p","response":"r"}"#).standsAlone)
        #expect(try !read(#"{"prompt":"/prompt","responses":"/response/*"}"#, #"{"prompt":"p","response":["r"]}"#).standsAlone)
        let raw = try read(#"{"prompt":"","responses":"/0"}"#.replacing("\"\"", with: "\"/1\""), #"["r","p"]"#)
        #expect(raw.responses == ["r"] && raw.turns[0].content == "p" as Text)
    }

    @Test func pointersFollowRFC6901() throws {
        let document = #"{"a/b":1,"m~n":2,"":3,"list":[4,[5]],"~1":6,"é":7}"#
        func value(_ pointer: String) throws -> Double? {
            try JSONParser().read(Array(document.utf8)) { try JSONPointer(pointer).values(in: $0)[0].value?.double }
        }
        for (pointer, expected) in [("/a~1b", 1.0), ("/m~0n", 2), ("/", 3), ("/list/0", 4), ("/list/1/0", 5), ("/~01", 6), ("/é", 7)] as [(String, Double)] {
            #expect(try value(pointer) == expected, "\(pointer)")
        }
        for pointer in ["/list/2", "/list/00", "/list/-", "/list/-1", "/list/", "/a", "/list/0/0", "/x/y"] { #expect(try value(pointer) == nil, "\(pointer)") }
        let elements = try JSONParser().read(Array(#"{"l/":[{"v":1},{},{"v":3}]}"#.utf8)) { try JSONPointer("/l~1/*/v").values(in: $0).map { ($0.path, $0.value?.double) } }
        #expect(elements.map(\.0) == ["/l~1/0/v", "/l~1/1/v", "/l~1/2/v"] && elements.map(\.1) == [1, nil, 3])
    }
}
