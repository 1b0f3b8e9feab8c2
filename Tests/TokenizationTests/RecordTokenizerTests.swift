import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing
@testable import Tokenization

@Suite struct RecordTokenizerTests {
    static func record(_ number: Int, _ prompt: Text, _ responses: [Text]) -> RatedRecord {
        let count = responses.count
        let ratings = Ratings(dimensions: ["helpfulness"], ratings: [Double](repeating: 3, count: count), rated: [UInt8](repeating: 1, count: count),
                              targets: [Double](repeating: 1 / Double(count), count: count))
        return RatedRecord(id: Text(String(repeating: "0", count: 24) + String(10_000_000 + number)), origin: Origin(input: 1, line: UInt64(number)), source: "test",
                           turns: [Turn(role: "user", content: prompt)], responses: responses, models: [Text](repeating: "m", count: count), ratings: ratings,
                           ratingStates: [UInt8](repeating: 0, count: count))
    }

    static func records(_ count: Int) -> [RatedRecord] {
        (0 ..< count).map { record($0, Text("Question \($0): what is <|im_end|> \($0 * 7)?"), [Text("Answer \($0)"), Text(Array("bad ".utf8) + [0xED, 0xA0, 0x80]), Text()]) }
    }

    private func run(_ records: [RatedRecord], workers: Int) throws -> ([TokensRecord], RecordTokenizer.Counts) {
        let made = try StreamedRecords.tokens(records, TemplateEncoder(TokenizerFiles.fixture("smollm2"), ChatMLTemplate()), workers: workers)
        return (made.records, made.counts)
    }

    @Test func sameForAnyNumberOfThreads() throws {
        let records = Self.records(300)
        let (one, counts) = try run(records, workers: 1)
        #expect(one.count == 300 && one.map(\.id) == records.map(\.id))
        for workers in [2, 3, 5] {
            let (more, others) = try run(records, workers: workers)
            #expect(more == one, "\(workers) threads")
            #expect(others == counts, "\(workers) threads")
        }
        #expect(counts.records == 300 && counts.responses == 900)
        #expect(counts.texts.literalSpecialTokens == 300 && counts.texts.surrogates == 300)
        #expect(counts.promptTokens == one.reduce(0) { $0 + $1.prompts[0].ids.count })
        #expect(counts.responseTokens == one.reduce(0) { $0 + $1.responses.reduce(0) { $0 + $1.count } })
        #expect(counts.alterations == "300 special tokens in texts left as text, 300 lone surrogates replaced by U+FFFD")
    }

    @Test func carriesTheRecordAlong() throws {
        let record = Self.record(5, "Hi", ["Yes", "No"])
        let (out, counts) = try run([record], workers: 1)
        let tokens = try #require(out.first)
        #expect(tokens.id == record.id && tokens.origin == record.origin && tokens.source == record.source && tokens.ratings == record.ratings)
        let prompt = tokens.prompts[0]
        #expect(tokens.prompts.count == 1 && prompt.turnStarts == [0, 6] && prompt.roles == ["user"] && prompt.ids.count == 10 && tokens.responses.count == 2)
        #expect(counts.alterations == nil)
        let tokenizer = try TokenizerFiles.fixture("smollm2")
        #expect(try tokenizer.decodeText(prompt.ids + tokens.responses[1]) == Array("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nNo<|im_end|>".utf8))
    }

    /// Each response under its own system prompt has a prompt of its own; one for all where they are the same.
    @Test func systemPromptsOfResponses() throws {
        var record = Self.record(5, "Hi", ["Yes", "No", "Well"])
        record.responseSystems = ["Agree.", "", "Agree."]
        let tokens = try #require(run([record], workers: 1).0.first), tokenizer = try TokenizerFiles.fixture("smollm2")
        let texts = try tokens.prompts.map { try Text(tokenizer.decodeText($0.ids)) }
        let plain: Text = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
        let under: Text = "<|im_start|>system\nAgree.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
        #expect(texts == [under, plain, under])
        #expect(tokens.prompts.map(\.roles) == [["system", "user"], ["user"], ["system", "user"]])
        record.responseSystems = ["Agree.", "Agree.", "Agree."]
        #expect(try run([record], workers: 1).0[0].prompts == [tokens.prompts[0]])
        record.responseSystems = ["", "", ""]
        #expect(try run([record], workers: 1).0[0].prompts == [tokens.prompts[1]])
    }

    @Test func countsAsJSON() throws {
        var counts = RecordTokenizer.Counts()
        counts.records = 2
        counts.trimmed = 3
        counts.texts.surrogates = 4
        #expect(try String(decoding: counts.json.canonical, as: UTF8.self)
            == #"{"invalid_bytes_replaced":0,"prompt_tokens":0,"records":2,"response_tokens":0,"responses":0,"special_tokens_left_as_text":0,"surrogates_replaced":4,"symbols_dropped":0,"texts_trimmed":3}"#)
    }

    /// Whether by a plan or laid out by themselves.
    @Test func recordsOfTooManyIDsAreRefused() throws {
        let few = Text([UInt8](repeating: 0x20, count: 2 * 32_000).enumerated().map { $0 % 2 == 0 ? $1 : 0x78 })
        let many = Text((0 ..< 265).flatMap { _ in few.bytes })
        for responses in [[Text]](arrayLiteral: [Text](repeating: few, count: 530), [many, many]) {
            let record = Self.record(1, "Hi", responses)
            #expect(throws: InputError("record \(record.id): the record has \(4 * (10 + 2 + 530 * 32_000 + responses.count)) bytes of token ids; a record of the stream holds at most \(StreamLimits.recordBytes)")) {
                try run([record], workers: 1)
            }
        }
    }

    /// Blocks close where they would if records were appended one by one.
    @Test func streamsAreThoseOfSingleRecords() throws {
        let encoder = try TemplateEncoder(TokenizerFiles.fixture("smollm2"), ChatMLTemplate()), tokenizer = RecordTokenizer(encoder)
        let records = (0 ..< 900).map { Self.record($0, Text(String(repeating: "word ", count: $0)), ["Yes", Text(String(repeating: "No. ", count: 900 - $0))]) }
        let made = try StreamedRecords.tokens(records, encoder, workers: 2), sink = MemorySink()
        let head = StreamHead(schema: TokensRecord.schema, settings: tokenizer.settings, provenance: Provenance(command: "uf-test", recipe: 1, arguments: []))
        let writer = try RecordStreamWriter<TokensRecord>(to: sink, head: head)
        var counts = RecordTokenizer.Counts()
        for record in records { try writer.append(tokenizer.tokens(record, scratch: EncodingScratch(), counts: &counts)) }
        try writer.finish(StreamTail(counts: counts.json))
        #expect(sink.bytes == made.bytes && sink.bytes.count > 3 << 20)
        let reader = try RecordReader<TokensRecord>(MemorySource(sink.bytes))
        #expect(reader.stream.head.settings["vocabulary_size"]?.int == 49_152 && reader.stream.head.settings["tokenizer"]?.string == encoder.tokenizer.digestHex)
    }
}

@Suite struct LineTokenizerTests {
    private func lines(_ name: String = "gpt2") throws -> LineTokenizer { LineTokenizer(try TokenizerFiles.fixture(name)) }

    private func encode(_ input: String, special: LiteralSpecialTokens = .text, workers: Int = 1, readSize: Int = .max) throws -> String {
        var out: [UInt8] = []
        _ = try lines().encode(MemorySource(Array(input.utf8), name: "in.jsonl", readSize: readSize), special: special, workers: workers) { out += $0 }
        return String(decoding: out, as: UTF8.self)
    }

    @Test func idsALine() throws {
        #expect(try encode("\"Hello world\"\n\"\"\n\"<|endoftext|>\"") == "[15496,995]\n[]\n[27,91,437,1659,5239,91,29]\n")
        #expect(try encode("\"<|endoftext|>\"\n", special: .ids) == "[50256]\n")
        #expect(try encode("\"\\ud83d\"\n") == "[4210]\n", "a lone surrogate is U+FFFD")
    }

    @Test func sameForAnyThreadsAndReads() throws {
        let input = (0 ..< 3_000).map { "\"line \($0) \(String(repeating: "word ", count: $0 % 90))\"\n" }.joined()
        let one = try encode(input)
        #expect(one.utf8.count { $0 == 0x0A } == 3_000)
        #expect(try encode(input, workers: 3) == one)
        #expect(try encode(input, workers: 2, readSize: 7) == one)
    }

    @Test func decodesALine() throws {
        var out: [UInt8] = []
        try lines().decode(MemorySource(Array("[15496,995]\n[]\n[50256,126]\n".utf8)), skippingSpecial: true, workers: 1) { out += $0 }
        #expect(String(decoding: out, as: UTF8.self) == "\"Hello world\"\n\"\"\n\"\u{FFFD}\"\n")
    }

    @Test(arguments: [
        ("\"a\"\n7\n", "in.jsonl: line 2: expected a JSON string, found a number"), ("\"a\"\n[\"b\"]", "in.jsonl: line 2: expected a JSON string, found an array"),
    ]) func wrongLines(_ input: String, _ message: String) {
        #expect(throws: InputError(message)) { try encode(input) }
    }

    @Test func wrongIDs() throws {
        #expect(throws: InputError("memory: line 1: token id 99999 is not in the vocabulary of 50257; is this the tokenizer that the ids were made with?")) {
            try lines().decode(MemorySource(Array("[99999]".utf8)), skippingSpecial: false, workers: 1) { _ in }
        }
        #expect(throws: InputError("memory: line 1: expected token ids, found -1")) {
            try lines().decode(MemorySource(Array("[-1]".utf8)), skippingSpecial: false, workers: 1) { _ in }
        }
        #expect(throws: InputError("in.jsonl: line 2, column 2: the string has no end")) { try encode("\"a\"\n{\"b\n") }
    }
}
