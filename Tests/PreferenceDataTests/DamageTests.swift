import JSON
import RecordStream
import SystemIO
import Testing
import TestSupport
@testable import InputFiles
@testable import PreferenceData

/// Damaged input never traps and never hangs: it is an error with a place, or a record that is still valid.
@Suite struct DamageTests {
    private func convert(_ bytes: [UInt8], skip: Bool) throws -> ConversionCounts {
        var options = ConversionOptions()
        options.onBadRecord = skip ? .skip : .stop
        let conversion = Conversion(options)
        let sink = MemorySink()
        let writer = try RecordStreamWriter<RatedRecord>(to: sink, head: options.head)
        let inputs = DecodedInputs(["x"]) { _ in MemorySource(bytes, name: "x") }
        try conversion.run(ChunkReader(inputs), threads: 1) { record, _ in try writer.append(record) }
        try writer.finish(conversion.tails(inputs)[0])
        return conversion.counts
    }

    @Test(arguments: [
        "ultrafeedback/odd.jsonl", "ultrafeedback/bad.jsonl", "ultrafeedback/evol_instruct-one.jsonl", "sources/helpsteer.jsonl", "sources/hh-rlhf.jsonl", "sources/nectar.jsonl",
        "sources/trl.jsonl", "sources/llamafactory-alpaca.jsonl", "sources/argilla-chatml.jsonl", "sources/messages.jsonl", "sources/pku-saferlhf.jsonl",
    ])
    func everyByteOfARecordMayBeWrong(name: String) throws {
        let whole = try readWholeFile(Fixtures.path(name))
        var random = SeededGenerator(seed: 20)
        let lines = whole.count { $0 == 0x0A }
        for round in 0..<500 {
            var bytes = whole
            let at = Int.random(in: 0..<bytes.count, using: &random)
            switch round % 4 {
            case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes.remove(at: at)
            case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
            default: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1...200, using: &random)))
            }
            let counts: ConversionCounts
            do { counts = try convert(bytes, skip: true) } catch let error as InputError where error.message.hasSuffix(Self.cut) {
                #expect(bytes.last != 0x0A, "round \(round), byte \(at)")
                continue
            }
            #expect(counts.kept + counts.joined + counts.droppedTotal + counts.skippedTotal == counts.read, "round \(round), byte \(at)")
            #expect(counts.read <= lines + 2)
            do { _ = try convert(bytes, skip: false) } catch let error as InputError {
                #expect(error.message.hasPrefix("x: line ") && error.message.hasSuffix(" (--on-bad-record skip to continue)"), "\(error)")
                #expect(!error.message.contains("\n"), "one line: \(error)")
            }
        }
    }

    private static let cut = ", and no line feed follows: the input seems cut; copy or fetch it again"

    /// A half line is no bad record that may be passed over: its other half was lost. Cut between lines, or after the last bracket, nothing shows.
    @Test func everyCutInsideALineIsRefused() throws {
        let record = Array(#"{"instruction":"\u00e9 é","completions":[{"response":"a\"]","annotations":{"d":{"Rating":"1"}}},{"response":"b","annotations":{"d":{"Rating":2}}}]}"#.utf8)
        let whole = record + [0x0A, 0x0A] + record + [0x0D, 0x0A]
        for skip in [false, true] {
            #expect(try convert(whole, skip: skip).kept == 2)
            for length in 1 ..< whole.count {
                let bytes = Array(whole[..<length])
                guard length < record.count || length > record.count + 2 && length < 2 * record.count + 2 else {
                    #expect(try convert(bytes, skip: skip).kept == (length < 2 * record.count ? 1 : 2), "cut at \(length)")
                    continue
                }
                let line = length < record.count ? 1 : 3
                let message = (#expect(throws: InputError.self, "cut at \(length)") { try convert(bytes, skip: skip) })?.message ?? ""
                #expect(message.hasPrefix("x: line \(line), column ") && message.hasSuffix(Self.cut), "cut at \(length): \(message)")
            }
        }
        // Whole values of another schema, and a key that stands twice, are what they were.
        #expect(try convert(record + [0x0A] + Array("[1]".utf8), skip: true).skipped == ["wrong_schema": 1])
    }

    @Test func everyCutOfAnArrayIsRefused() throws {
        let record = Array(#"{"instruction":"i","completions":[{"response":"a\"]","annotations":{"d":{"Rating":"1"}}},{"response":"b","annotations":{"d":{"Rating":2}}}]}"#.utf8)
        let whole = Array("[\n".utf8) + record + Array(",\n".utf8) + record + Array("]\n".utf8)
        #expect(try convert(whole, skip: false).kept == 2)
        for length in 1..<whole.count - 1 {
            #expect(throws: InputError.self, "cut at \(length)") { try convert(Array(whole[..<length]), skip: true) }
        }
    }

    @Test func messagesHoldNoControlCharacters() {
        let line = Array(#"{"instruction":"i","completions":[{"response":"a","annotations":{"d":{"Rating":"\u001b[31m\n\u009bred"}}}]}"#.utf8)
        #expect((#expect(throws: InputError.self) { try convert(line, skip: false) })?.message
                == "x: line 1: completions[0].annotations.d.Rating is \"?[31m??red\", expected 1..5 or N/A (--on-bad-record skip to continue)")
    }

    @Test func deepAndLargeInputsCostBoundedMemory() throws {
        let deep = Array((String(repeating: "[{\"a\":", count: 100_000) + "\n").utf8)
        #expect(throws: InputError.self) { try convert(deep, skip: true) }
        let line = Array("{\"completions\":".utf8) + [UInt8](repeating: 0x5B, count: 200_000) + [0x0A]
        #expect((#expect(throws: InputError.self) { try convert(line, skip: false) })?.message
                == "x: line 1, column 528: more than 512 arrays and objects inside one another (--on-bad-record skip to continue)")
        #expect(try convert(line, skip: true).skipped == ["invalid_json": 1])
    }

    /// The last of two equal keys counts, as everywhere; that there were two is counted too. Escapes spell the same key.
    @Test func repeatedKeysAreCounted() throws {
        func line(_ more: String, _ annotation: String = #"{"d":{"Rating":1}}"#) -> String {
            #"{"instruction":"one",\#(more)"completions":[{"response":"a","annotations":\#(annotation)},{"response":"b","annotations":{"d":{"Rating":"2"}}}]}"# + "\n"
        }
        let many = (0 ..< 40).map { "\"k\($0)\":0," }.joined()
        for (text, expected) in [
            (line(""), 0), (line(#""instruction":"two","#), 1), (line(#""i\u006estruction":"two","#), 1), (line("", #"{"d":{"Rating":1,"Rating":2}}"#), 1),
            (line("", #"{"d":{"Rating":1},"d":{"Rating":3}}"#), 1), (line(many), 0), (line(many + #""k7":1,"#), 1), (line(#""a":{"":1},"":{},"#), 0), (line(#""a":{"":1,"":2},"#), 1),
        ] {
            let counts = try convert(Array(text.utf8), skip: false)
            #expect(counts.repeatedKeys == expected && counts.kept == 1, "\(text)")
            if expected == 1 { #expect(counts.summaryLine?.hasSuffix("kept 1 record with a repeated JSON key") == true, "\(counts.summaryLine ?? "")") }
        }
    }

    /// Work that grows with the square of what one line holds is bounded.
    @Test func dimensionsWithoutEndAreRefused() {
        let annotations = "{" + (0 ..< 1001).map { "\"d\($0)\":{\"Rating\":1}" }.joined(separator: ",") + "}"
        let line = #"{"instruction":"i","completions":[{"response":"a","annotations":\#(annotations)},{"response":"b"}]}"#
        #expect((#expect(throws: InputError.self) { try convert(Array(line.utf8), skip: false) })?.message
                == "x: line 1: completions[0].annotations: more than 1000 dimensions in one record (--on-bad-record skip to continue)")
    }
}
