import Checksums
import JSON
import SystemIO
import TestSupport
import Testing

@testable import RecordStream

/// The files of `fixtures/streams/version-1`: what they hold, and for the damaged ones what was done and what a reader says. They are kept as they are.
enum GoldenStreams {
    static func path(_ name: String) -> String { Fixtures.path("streams/version-1/" + name) }

    /// A bin in the paper's rows: one row for each response, two dimensions mapped to both.
    static let rows = PackedBin(
        tokens: [1, 7, 5, 2, 1, 7, 6, 6, 2], positions: [0, 1, 2, 3, 0, 1, 2, 3, 4],
        segments: [
            .init(start: 0, end: 4, parent: -1, record: 0, response: 0, labelStart: 2),
            .init(start: 4, end: 9, parent: -1, record: 0, response: 1, labelStart: 6),
        ],
        members: [
            .init(
                id: "id-9", origin: Origin(input: 2, line: 9), source: "made-up", ratings: Sample.ratings, promptCuts: [4, 0], responseCuts: [0, 0],
                rowMap: [0, 1, 0, 1], piTarget: [0.75, 0.25, 0, 0])
        ])

    /// Kind, or what of it is special, and the stream with a codec.
    static let kinds: [(kind: String, stream: @Sendable (Codec) throws -> [UInt8])] = [
        ("rated", { try Sample.stream(Sample.rated, codec: $0, blockTarget: 1) }),
        ("tokens", { try Sample.stream(Sample.tokens, codec: $0, blockTarget: 1) }),
        ("packed", { try Sample.stream(Sample.packed + [rows], codec: $0, blockTarget: 1) }),
        ("logps", { try Sample.stream(Sample.logProbs, codec: $0, blockTarget: 1) }),
        ("answers", { try Sample.stream(answers, schema: TokensRecord.schemaWithAnswers, codec: $0, blockTarget: 1) }),
        ("rows16", { try Sample.stream(paperRows, layout: .rows16, codec: $0, blockTarget: 1) }),
        ("pairs", { try Sample.stream(pairs, layout: .pairs, codec: $0, blockTarget: 1) }),
        ("sft", { try Sample.stream(conversations, layout: .sft, codec: $0, blockTarget: 1) }),
        ("gaps", { try Sample.stream(gaps, schema: PackedBin.schemaWithGaps, codec: $0, blockTarget: 1) }),
    ]

    /// The smallest stream: no record, no option. FORMAT.md shows its bytes.
    static func empty() throws -> [UInt8] {
        let sink = MemorySink()
        let head = StreamHead(schema: LogProbRecord.schema, provenance: Provenance(command: "uf-eval score", recipe: 1, arguments: []))
        try RecordStreamWriter<LogProbRecord>(to: sink, head: head).finish(StreamTail())
        return sink.bytes
    }

    struct Damaged: Sendable, CustomTestStringConvertible {
        var name: String
        /// What a reader says after the file's name.
        var message: String
        var bytes: @Sendable () throws -> [UInt8]
        var testDescription: String { name }
    }

    private static func rated() throws -> [UInt8] { try kinds[0].stream(.none) }
    private static func frames(_ number: Int) throws -> Range<Int> { DissectedStream.frameRanges(try rated())[number] }
    private static func taken() throws -> DissectedStream { try DissectedStream(rated()) }

    /// The rated stream with its first block taken apart, changed, and everything around it made right again, the digests too.
    private static func hostile(_ change: (inout DissectedBlock) -> Void) throws -> [UInt8] {
        var stream = try taken()
        var block = DissectedBlock(stream.frames[1].payload, schema: RatedRecord.schema)
        change(&block)
        stream.frames[1].payload = block.payload
        return try stream.assembled(.remade)
    }

    private static func version(_ number: UInt8) throws -> [UInt8] {
        var bytes = try rated()
        bytes[12] = number
        let checksum = crc32c(Array(bytes[..<60]))
        bytes.replaceSubrange(60 ..< 64, with: withUnsafeBytes(of: checksum) { Array($0) })
        return bytes
    }

    private static func array(_ column: String, _ number: Int = 0) -> Int { RatedRecord.schema.firstArray(column) + number }

    static let damaged: [Damaged] = [
        Damaged(name: "bad-zero-bytes.uf", message: "frame 0 at byte 0: empty: not a record stream (an empty data set still has a head and an end mark)") { [] },
        Damaged(
            name: "bad-cut-after-block.uf",
            message: "frame 2 at byte 3776: the stream ends early, after 3776 bytes, without its end mark: it was cut, or the command that wrote it failed"
        ) { Array(try rated()[..<frames(1).upperBound]) },
        Damaged(name: "bad-cut-in-block.uf", message: "frame 2 at byte 3776: the stream ends early, inside a DATA frame: it was cut, or the command that wrote it failed") {
            Array(try rated()[..<(frames(2).upperBound - 100)])
        },
        Damaged(name: "bad-no-end-mark.uf", message: "frame 6 at byte 9152: the stream ends early, after 9152 bytes, without its end mark: it was cut, or the command that wrote it failed") { Array(try rated().dropLast(128)) },
        Damaged(name: "bad-flipped-bit.uf", message: "frame 1 at byte 1152: the payload's checksum does not match: the data is damaged") {
            var bytes = try rated()
            bytes[try frames(1).lowerBound + 1000] ^= 0x10
            return bytes
        },
        Damaged(name: "bad-flipped-header.uf", message: "frame 1 at byte 1152: the frame header's checksum does not match") {
            var bytes = try rated()
            bytes[try frames(1).lowerBound + 24] ^= 0x01
            return bytes
        },
        Damaged(name: "bad-two-joined.uf", message: "at byte 9280: there is more after the end mark (streams joined with cat are not one stream; name them all as inputs instead)") { try rated() + rated() },
        Damaged(name: "bad-byte-appended.uf", message: "at byte 9280: there is more after the end mark (streams joined with cat are not one stream; name them all as inputs instead)") { try rated() + [0x0A] },
        Damaged(name: "bad-block-dropped.uf", message: "frame 5 at byte 6848: the digest of the content does not match: blocks were exchanged or altered") {
            var stream = try taken()
            stream.frames.remove(at: 2)
            return try stream.assembled(.kept)
        },
        Damaged(name: "bad-blocks-swapped.uf", message: "frame 6 at byte 9152: the digest of the content does not match: blocks were exchanged or altered") {
            var stream = try taken()
            stream.frames.swapAt(1, 2)
            return try stream.assembled(.kept)
        },
        Damaged(name: "bad-foreign-head.uf", message: "frame 6 at byte 9088: the end mark does not match the stream before it: frames were exchanged or altered") {
            var stream = try taken()
            stream.frames[0] = try DissectedStream(Sample.stream(Sample.rated, provenance: Provenance(command: "uf-other", recipe: 1, arguments: []))).frames[0]
            return try stream.assembled(.kept)
        },
        Damaged(name: "bad-index.uf", message: "frame 5 at byte 8960: the index does not match the blocks before it") {
            let stream = try taken()
            var index = stream.index
            index[32] ^= 0x40
            return try stream.assembled(.remade, index: index)
        },
        Damaged(name: "bad-offsets.uf", message: "the block at byte 1152: column id: 4 bytes of values, expected 99") { try hostile { $0[words: array("id")][1] = 99 } },
        Damaged(name: "bad-dictionary-index.uf", message: "the block at byte 1152: column source: an index beyond the dictionary's 1 entries") { try hostile { $0[words: array("source")][0] = 7 } },
        Damaged(name: "bad-text.uf", message: "the block at byte 1152: column responses: text that is not UTF-8 (byte 0 of the column)") { try hostile { $0.arrays[array("responses", 2)][0] = 0xC3 } },
        Damaged(name: "bad-array-length.uf", message: "the block at byte 1152: array 4 of the block reaches beyond its end") {
            var stream = try taken()
            var block = DissectedBlock(stream.frames[1].payload, schema: RatedRecord.schema)
            block.lies = [4: 1 << 63]
            stream.frames[1].payload = block.payload
            return try stream.assembled(.remade)
        },
        Damaged(name: "bad-matrices.uf", message: "record 0: targets of dimension helpfulness sum to 0.75") { try hostile { $0.arrays[array("targets", 1)].replaceSubrange(0 ..< 8, with: withUnsafeBytes(of: 0.5) { Array($0) }) } },
        Damaged(name: "bad-record-count.uf", message: "frame 1 at byte 1152: a DATA frame with 65537 records and codec none") {
            var stream = try taken()
            stream.frames[1].records = 65_537
            return try stream.assembled(.remade)
        },
        Damaged(name: "bad-version-0.uf", message: "frame 0 at byte 0: format version 0 (a draft); this release reads version 1: make the stream again") { try version(0) },
        Damaged(name: "bad-version-2.uf", message: "frame 0 at byte 0: format version 2; this release reads version 1: a later release wrote it") { try version(2) },
    ]
}
