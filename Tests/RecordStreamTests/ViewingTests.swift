import JSON
import SystemIO
import TestSupport
import Testing

@testable import RecordStream

/// A kind that no release knows, with every type, depth and meaning of column.
private struct OddRecord: StreamRecord {
    static let schema = Schema(kind: "odd_kind", columns: [
        Column("byte", .u8), Column("word", .u32), Column("long", .u64), Column("signed", .i32), Column("single", .f32), Column("double", .f64, depth: 1),
        .text("text"), .text("texts", depth: 2), .dictionary("name"), .dictionary("names", depth: 1), .dictionary("name_lists", depth: 2), Column("lists", .i32, depth: 2),
        Column("ratings", .f64, depth: 1),
    ])

    var number: Int32

    init(number: Int32) { self.number = number }

    init(_ block: Block, _ record: Int) throws { number = block.number(3, record) }

    func validate() throws {}

    func append(to builder: BlockBuilder) {
        builder.add(number: UInt8(255), to: 0)
        builder.add(number: UInt32.max, to: 1)
        builder.add(number: UInt64.max, to: 2)
        builder.add(number: number, to: 3)
        builder.add(number: Float(0.1), to: 4)
        builder.add(list: [Double.infinity, -.infinity, .nan, 1e300, -0.0], to: 5)
        builder.add(text: Text(Array("a\"b\\\n\u{1}é🙂".utf8) + [0xED, 0xB2, 0x80]), to: 6)
        builder.add(texts: ["", "x"], to: 7)
        builder.add(name: "one", to: 8)
        builder.add(names: ["one", "two", "one"], to: 9)
        builder.add(nameLists: [[], ["x"]], to: 10)
        builder.add(lists: [[], [number, -1], [2]], to: 11)
        builder.add(list: [Double(1), 2], to: 12)
    }
}

@Suite struct ViewingTests {
    /// A column of a known name that holds something else is taken for what its schema says, by view and by import.
    @Test(arguments: [(0, #"{"rating_states":3}"#), (1, #"{"rating_states":["null","missing"]}"#), (2, #"{"rating_states":[[3],[]]}"#)])
    func columnsOfSomebodyElse(depth: Int, line: String) throws {
        let schema = Schema(kind: "odd_kind", columns: [Column("rating_states", .u8, depth: depth)]), bytes = Array(line.utf8)
        let records = try LineImporter(schema).records { take in try bytes.withUnsafeBufferPointer { try take($0, "line 1") } }
        let sink = MemorySink(), writer = try StreamWriter(to: sink, head: StreamHead(schema: schema, provenance: Sample.provenance))
        for record in records { try writer.append(record: record) }
        try writer.finish(StreamTail())
        var view = try RecordView(schema)
        let block = try #require(try RecordStreamReader(MemorySource(sink.bytes)).nextBlock())
        #expect(try view.line(block, 0) == bytes + [0x0A])
    }

    @Test func unknownKindsAreShownByTheirSchema() throws {
        let reader = try RecordStreamReader(MemorySource(Sample.stream([OddRecord(number: -7), OddRecord(number: 8)], codec: .zstd)))
        let block = try #require(try reader.nextBlock())
        var view = try RecordView(reader.head.schema)
        let expected = #"{"byte":255,"word":4294967295,"long":18446744073709551615,"signed":-7,"single":0.1,"double":["inf","-inf",null,1e+300,-0.0],"#
            + #""text":"a\"b\\\n\u0001é🙂\udc80","texts":["","x"],"name":"one","names":["one","two","one"],"name_lists":[[],["x"]],"lists":[[],[-7,-1],[2]],"ratings":[1.0,2.0]}"# + "\n"
        #expect(try String(decoding: view.line(block, 0), as: UTF8.self) == expected)
        #expect(try String(decoding: view.line(block, 1), as: UTF8.self) == expected.replacing("-7", with: "8"))
        // What is shown is JSON.
        #expect(try JSON.parse(view.line(block, 0))["lists"]?[1]?[0]?.int == -7)
        var statistics = StreamStatistics(reader.head.schema)
        try statistics.add(block)
        #expect(statistics.records == 2 && statistics.columns[7].lengths.count == 4 && statistics.columns[7].lists.maximum == 2 && statistics.dimensions.isEmpty)
    }

    /// A block handed to the wrong record type is an error, not a trap.
    @Test func blocksOfAnotherKindAreRefused() throws {
        let reader = try RecordStreamReader(MemorySource(Sample.stream([OddRecord(number: 1)])))
        let block = try #require(try reader.nextBlock())
        #expect(throws: InputError("memory: a block of odd_kind records, expected packed")) { try block.record(0, as: PackedBin.self) }
    }

    @Test(arguments: [1, 10, 1000, 20_000] as [Int]) func lengthsAgreeWithSorting(count: Int) {
        for spread in [1.0, 3.0, 6.0] {
            var generator = SeededGenerator(seed: UInt64(count)), lengths: [Int] = [], distribution = LengthDistribution()
            for _ in 0 ..< count {
                var length = 1.0
                for _ in 0 ..< 8 { length *= Double.random(in: 0 ... spread, using: &generator) }
                lengths.append(Int(length * 3))
                distribution.add(Int(length * 3))
            }
            lengths.sort()
            #expect(distribution.count == count && distribution.sum == lengths.reduce(0, +) && distribution.minimum == lengths[0] && distribution.maximum == lengths[count - 1])
            for share in [0.0, 0.01, 0.5, 0.9, 0.99, 1.0] {
                let exact = lengths[max(1, Int((share * Double(count)).rounded(.up))) - 1], found = distribution.quantile(share)
                #expect(found <= exact && Double(found) >= Double(exact) * (1 - 1.0 / 64) && (exact >= 1024 || found == exact), "\(share) of \(count): \(found), by sorting \(exact)")
            }
            let octaves = distribution.octaves
            #expect(octaves.reduce(0) { $0 + $1.count } == count)
            for octave in octaves { #expect(octave.count == lengths.count { $0 >= octave.from && $0 <= octave.to }, "\(octave)") }
        }
        #expect(LengthDistribution().octaves.isEmpty && LengthDistribution().quantile(0.5) == 0)
    }

    @Test func stagesOfAChain() throws {
        func stage(_ command: String, _ inputs: [Provenance] = []) -> Provenance { Provenance(command: command, recipe: 1, arguments: [], inputs: inputs) }
        func stream(_ tail: StreamTail) -> StreamTail.Input { .stream(digest: "ab", content: "cd", records: 1, tail: tail) }
        let raw = StreamTail(inputs: [.raw(sha256: "00", bytes: 1)], counts: .object([("records", .object([("read", 10), ("dropped", .object([("odd", 2)]))])), ("deep", .object([("a", .object([("b", .object([("c", 1)]))]))]))]))
        let other = StreamTail(inputs: [.raw(sha256: "01", bytes: 1)], counts: .object([("records", .object([("read", 5), ("kept", 4)]))]))
        let tail = StreamTail(inputs: [stream(raw), stream(other)], counts: .object([("bins", 3)]))
        let head = StreamHead(schema: PackedBin.schema, provenance: stage("uf-pack", [stage("uf-convert"), stage("uf-convert")]))
        let stages = StageCounts.all(head, tail)
        #expect(stages.map(\.command) == ["uf-convert", "uf-pack"])
        #expect(stages[0].counts.map(\.name) == ["records.read", "records.dropped.odd", "records.kept"])
        #expect(stages[0].counts.map(\.count) == [15, 2, 4])
        #expect(stages[1].counts.map(\.name) == ["bins"])
    }

    @Test func scriptOfAChain() {
        let convert = Provenance(command: "uf-convert", recipe: 1, arguments: [.text("--licence"), .text("it's=a b")])
        let tokenize = Provenance(command: "uf-tokenize", recipe: 1, arguments: [.text("--tokenizer"), .file(role: "tokenizer", sha256: "ee")], inputs: [convert, convert])
        let pack = Provenance(command: "uf-eval score", recipe: 1, arguments: [.text("--model"), .file(role: "model", sha256: "ff")], inputs: [tokenize])
        func raw(_ digest: String) -> StreamTail.Input { .stream(digest: "aa", content: "bb", records: 1, tail: StreamTail(inputs: [.raw(sha256: digest, bytes: 7)])) }
        let tail = StreamTail(inputs: [.stream(digest: "cc", content: "dd", records: 1, tail: StreamTail(inputs: [raw("01"), raw("02")]))])
        let script = Explanation.script(StreamHead(schema: LogProbRecord.schema, provenance: pack), tail, codec: .zstd)
        #expect(script == """
            set -eu -o pipefail
            INPUT1=${INPUT1:?set it to the file} # 7 bytes, decompressed
            INPUT2=${INPUT2:?set it to the file} # 7 bytes, decompressed
            TOKENIZER1=${TOKENIZER1:?set it to the file}
            MODEL1=${MODEL1:?set it to the model folder}
            decompressed() { case $1 in *.bz2) bzip2 -dc "$1" ;; *.xz) xz -dc "$1" ;; *.zst) zstd -dcq "$1" ;; *) gzip -dcf < "$1" ;; esac; }
            holds() { [ "$(sha256sum | cut -c 1-64)" = "$2" ] || { echo "$1: not what the stream was made of: its SHA-256 should be $2" >&2; exit 65; }; }
            decompressed "$INPUT1" | holds INPUT1 01
            decompressed "$INPUT2" | holds INPUT2 02
            holds TOKENIZER1 ee < "$TOKENIZER1"
            uf-tokenize --tokenizer "$TOKENIZER1" <(uf-convert --licence 'it'\\''s=a b' "$INPUT1") <(uf-convert --licence 'it'\\''s=a b' "$INPUT2") |
              uf-eval score --model "$MODEL1" --model-sha256 ff --codec zstd

            """)
    }
}
