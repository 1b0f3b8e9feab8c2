import CTokenization
import JSON
import SystemIO
import TestSupport
import Testing
@testable import Tokenization

/// Damaged and unknown files: a clear error each, and never a trap.
@Suite struct LoadingTests {
    /// A small whole file; `change` replaces parts of it.
    static func file(_ changes: [(String, String)] = []) -> [UInt8] {
        var text = """
        {"version":"1.0","added_tokens":[{"id":3,"content":"<s>","special":true,"normalized":false,"lstrip":false,"rstrip":false,"single_word":false}],
        "normalizer":null,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"use_regex":true},
        "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[3],"tokens":["<s>"]}}},
        "decoder":{"type":"ByteLevel"},
        "model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"ignore_merges":false,
        "vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}}
        """
        for (old, new) in changes {
            precondition(text.contains(old), "\(old) is not in the file")
            text = text.split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
        }
        return Array(text.utf8)
    }

    static func error(_ bytes: [UInt8]) -> String? {
        do {
            _ = try Tokenizer(json: bytes, name: "t.json")
            return nil
        } catch { return error.message }
    }

    @Test func theWholeFileLoads() throws {
        let tokenizer = try Tokenizer(json: Self.file(), name: "t.json")
        #expect(tokenizer.vocabularySize == 4)
        #expect(try tokenizer.encode(Array("abab".utf8)) == [2, 2])
        #expect(try tokenizer.encodeWhole(Array("ab".utf8)) == [3, 2])
        #expect(try tokenizer.encodeWhole(Array("<s>ab".utf8), special: .ids) == [3, 2], "never twice")
        #expect(tokenizer.id(of: "<s>") == 3 && tokenizer.id(of: "ab") == 2 && tokenizer.id(of: "ba") == nil)
        #expect(tokenizer.beginning == 3 && tokenizer.ending == nil)
        #expect(tokenizer.digestHex.count == 64)
        let pairs = try Tokenizer(json: Self.file([("\"a b\"", "[\"a\",\"b\"]")]), name: "t.json")
        #expect(try pairs.encode(Array("abab".utf8)) == [2, 2], "merges as arrays")
        #expect(pairs.digest != tokenizer.digest)
    }

    @Test(arguments: [
        ([("\"type\":\"BPE\"", "\"type\":\"Unigram\"")], "t.json: model.type: \"Unigram\" is not supported, expected \"BPE\""),
        ([("\"ab\":2", "\"ab\":5")], "t.json: the vocabulary has a hole: no token has id 2, but ids go up to 5"),
        ([("\"ab\":2", "\"ab\":1")], "t.json: model.vocab: \"b\" and \"ab\" have the same id 1"),
        ([("\"ab\":2", "\"a\":2")], "t.json: model.vocab: \"a\" stands twice"),
        ([("\"ab\":2", "\"ab\":-2")], "t.json: model.vocab: the id of \"ab\" is -2, expected an integer from 0 to 16777215"),
        ([("\"ab\":2", "\"ab\":99999999999")], "t.json: model.vocab: the id of \"ab\" is 99999999999, expected an integer from 0 to 16777215"),
        ([("\"ab\":2", "\"ab\":18446744073709551615")], "t.json: model.vocab: the id of \"ab\" is 18446744073709551615, expected an integer from 0 to 16777215"),
        ([("\"ab\":2", "\"ab\":16777215")], "t.json: the vocabulary has a hole: no token has id 2, but ids go up to 16777215"),
        ([("\"ab\":2", "\"ab\":\"x\"")], "t.json: model.vocab: the id of \"ab\" is a string, expected an integer from 0 to 16777215"),
        ([("{\"a\":0,\"b\":1,\"ab\":2}", "[]")], "t.json: model.vocab: expected an object of tokens and ids, found an array"),
        ([("[\"a b\"]", "[\"a c\"]")], "t.json: model.merges[0]: \"c\" is not in model.vocab"),
        ([("[\"a b\"]", "[\"b a\"]")], "t.json: model.merges[0]: \"b\" and \"a\" join to \"ba\", which is not in model.vocab"),
        ([("[\"a b\"]", "[\"ab\"]")], "t.json: model.merges[0]: \"ab\", expected two pieces with one space between"),
        ([("[\"a b\"]", "[\"a b c\"]")], "t.json: model.merges[0]: \"a b c\", expected two pieces with one space between"),
        ([("[\"a b\"]", "[[\"a\"]]")], "t.json: model.merges[0]: expected a string of two pieces or an array of two strings, found an array"),
        ([("[\"a b\"]", "7")], "t.json: model.merges: expected an array, found a number"),
        ([(",\"merges\":[\"a b\"]", "")], "t.json: model.merges: expected an array, found nothing"),
        ([("\"id\":3,\"content\"", "\"id\":2,\"content\"")], "t.json: added_tokens[0]: \"<s>\" has id 2, which is \"ab\""),
        ([("\"content\":\"<s>\"", "\"content\":\"ab\"")], "t.json: added_tokens[0]: \"ab\" has id 3, but 2 in model.vocab"),
        ([("\"content\":\"<s>\"", "\"content\":\"\"")], "t.json: added_tokens[0].content: expected a string that is not empty, found an empty one"),
        ([("\"content\":\"<s>\",", "")], "t.json: added_tokens[0].content: expected a string that is not empty, found nothing"),
        ([("\"content\":\"<s>\"", "\"content\":\"" + String(repeating: "x", count: 1025) + "\"")], "t.json: added_tokens[0].content: 1025 bytes, expected at most 1024"),
        ([("{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}", "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"first\"}"), ("\"decoder\":{\"type\":\"ByteLevel\"}", "\"decoder\":null")],
         "t.json: pre_tokenizer: Metaspace with a replacement other than \"▁\" is not supported"),
        ([("\"special\":true", "\"special\":1")], "t.json: added_tokens[0].special: expected true or false, found a number"),
        ([("\"ids\":[3]", "\"ids\":[4]")], "t.json: post_processor.special_tokens: expected ids from 0 to 3, found 4"),
        ([("\"ids\":[3]", "\"ids\":[-4]")], "t.json: post_processor.special_tokens: expected ids from 0 to 3, found -4"),
        ([("\"normalizer\":null", "\"normalizer\":{\"type\":\"Lowercase\"}")], "t.json: normalizer: Lowercase is not supported"),
        ([("\"normalizer\":null", "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"NFKC\"}]}")], "t.json: normalizer.normalizers[1]: NFKC is not supported"),
        ([("\"normalizer\":null", "\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"x\"},\"content\":\"\"}")], "t.json: normalizer: Replace with a pattern other than a string is not supported"),
        ([("{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}", "{\"type\":\"Whitespace\"}")], "t.json: pre_tokenizer: Whitespace is not supported"),
        ([("\"add_prefix_space\":false", "\"add_prefix_space\":true")], "t.json: pre_tokenizer: ByteLevel with add_prefix_space is not supported"),
        ([("{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}", "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\w+\"},\"behavior\":\"Isolated\",\"invert\":false},{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}]}")],
         "t.json: pre_tokenizer.pretokenizers[0]: Split by the unknown pattern \"\\w+\" is not supported; known are those of GPT-2, Llama 3 and Qwen2"),
        ([("\"decoder\":{\"type\":\"ByteLevel\"}", "\"decoder\":{\"type\":\"WordPiece\"}")], "t.json: decoder: WordPiece in this place is not supported"),
        ([("TemplateProcessing", "BertProcessing")], "t.json: post_processor: BertProcessing is not supported"),
        ([("\"dropout\":null", "\"dropout\":0.1")], "t.json: model.dropout: random merging is not supported, expected null or 0"),
        ([("\"end_of_word_suffix\":null", "\"end_of_word_suffix\":\"</w>\"")], "t.json: model.end_of_word_suffix: not supported, expected null or \"\""),
        ([("\"unk_token\":null", "\"unk_token\":\"<unk>\"")], "t.json: model.unk_token: \"<unk>\" is not in the vocabulary"),
        ([("\"ignore_merges\":false", "\"ignore_merges\":\"no\"")], "t.json: model.ignore_merges: expected true or false, found a string"),
        ([("\"model\":{", "\"no_model\":{")], "t.json: model: expected an object; is this a tokenizer.json?"),
    ] as [([(String, String)], String)])
    func damagedFields(_ changes: [(String, String)], _ message: String) {
        #expect(Self.error(Self.file(changes)) == message)
    }

    @Test func notATokenizer() {
        #expect(Self.error([]) != nil)
        #expect(Self.error(Array("[]".utf8)) == "t.json: expected an object with the fields of a tokenizer.json, found an array")
        #expect(Self.error(Array("{\"model\":{\"vocab\":{},\"merges\":[]}}".utf8)) == "t.json: model.vocab: expected at least one token, found none")
        #expect(Self.error(Array("{\"model\":{}}".utf8)) == "t.json: model.type: expected \"BPE\", found nothing")
    }

    /// Merges are looked up many at a time: the first that is wrong is named, whether in how it is written or in what it says.
    @Test func theFirstWrongMergeIsNamed() {
        func error(_ changes: [(Int, String)], of count: Int = 1200) -> String? {
            var merges = [String](repeating: "\"a b\"", count: count)
            for (number, merge) in changes { merges[number] = merge }
            return Self.error(Self.file([("[\"a b\"]", "[\(merges.joined(separator: ","))]")]))
        }
        #expect(error([]) == nil)
        #expect(error([(511, "\"a c\"")]) == "t.json: model.merges[511]: \"c\" is not in model.vocab")
        #expect(error([(700, "7"), (699, "\"b a\""), (512, "\"b b\"")]) == "t.json: model.merges[512]: \"b\" and \"b\" join to \"bb\", which is not in model.vocab")
        #expect(error([(700, "7"), (699, "\"b a\"")]) == "t.json: model.merges[699]: \"b\" and \"a\" join to \"ba\", which is not in model.vocab")
        #expect(error([(700, "7"), (701, "\"b a\"")]) == "t.json: model.merges[700]: expected a string of two pieces or an array of two strings, found a number")
        #expect(error([(16_900, "7"), (9_000, "\"a c\"")], of: 17_000) == "t.json: model.merges[9000]: \"c\" is not in model.vocab")
        #expect(error([(16_900, "7"), (100, "\"a c\"")], of: 17_000) == "t.json: model.merges[100]: \"c\" is not in model.vocab")
        #expect(error([(16_999, "\"a c\"")], of: 17_000) == "t.json: model.merges[16999]: \"c\" is not in model.vocab" && error([], of: 17_000) == nil)
        #expect(error([(1199, "[\"c\",\"c\"]")]) == "t.json: model.merges[1199]: \"c\" is not in model.vocab")
    }

    /// Many pieces looked up at once, against one after the other and against a dictionary.
    @Test func manyPiecesAreFoundAtOnce() {
        var generator = SeededGenerator(seed: 12), builder = PieceTable.Builder(), first: [[UInt8]: UInt32] = [:], pieces: [[UInt8]] = [], findable: [UInt8] = []
        for id in 0 ..< 3000 {
            // Some come twice, some are long, one is empty, and some cannot be found.
            let length = id == 77 ? 0 : Int.random(in: 1 ... (id % 50 == 0 ? 90 : 5), using: &generator)
            let piece = (0 ..< length).map { _ in UInt8.random(in: 97 ... 100, using: &generator) }
            pieces.append(piece)
            findable.append(id % 7 == 3 ? 0 : 1)
            builder.append(piece)
            if findable[id] != 0, first[piece] == nil { first[piece] = UInt32(id) }
        }
        let table = PieceTable(builder, findable: findable), asked = pieces + (0 ..< 500).map { number in Array("\(number)".utf8) } + [[UInt8](repeating: 97, count: 5000)]
        #expect(table.repeated == pieces.indices.first { findable[$0] != 0 && first[pieces[$0]] != UInt32($0) } && table.repeated != nil)
        var found = [UInt32](repeating: 0, count: asked.count)
        let bytes = asked.flatMap { $0 }
        bytes.withUnsafeBufferPointer { bytes in
            var at = 0
            table.find(asked.map { piece in
                defer { at += piece.count }
                return uf_text(bytes: bytes.baseAddress! + at, length: piece.count)
            }, into: &found)
        }
        for (number, piece) in asked.enumerated() {
            #expect(found[number] == first[piece] ?? UF_NO_ENTRY && table.id(of: piece) == first[piece], "\(number)")
        }
    }

    /// Every cut and every changed byte either loads or is refused by name; none traps.
    @Test func everyCutAndFlipIsMet() {
        let whole = Self.file()
        var loaded = 0
        for length in 0 ..< whole.count {
            let message = Self.error(Array(whole[..<length]))
            #expect(message?.hasPrefix("t.json: ") == true, "cut at \(length)")
        }
        for at in whole.indices {
            for bit in 0 ..< 8 {
                var bytes = whole
                bytes[at] ^= 1 << bit
                if let tokenizer = try? Tokenizer(json: bytes, name: "t.json") {
                    loaded += 1
                    _ = try? tokenizer.encode(Array("ab <s> ba".utf8), special: .ids)
                    _ = try? tokenizer.decodeText([0, 1, 2, 3, 4])
                } else if let message = Self.error(bytes) {
                    #expect(message.hasPrefix("t.json: "), "bit \(bit) of byte \(at)")
                }
            }
        }
        #expect(loaded > 100, "flips inside names that do not matter still load")
    }

    @Test func anIdBeyondTheVocabularyIsRefused() throws {
        let tokenizer = try Tokenizer(json: Self.file(), name: "t.json")
        #expect(throws: InputError("token id 4 is not in the vocabulary of 4; is this the tokenizer that the ids were made with?")) { try tokenizer.decodeText([4]) }
        #expect(tokenizer.piece(4) == nil && tokenizer.piece(2) == Array("ab".utf8))
    }
}
