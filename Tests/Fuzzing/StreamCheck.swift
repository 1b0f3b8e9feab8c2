import JSON
import RecordStream
import SystemIO
import TestSupport

/// A stream through everything that uf-records does with one.
struct StreamCheck {
    enum Damage {
        /// Of the bytes as they lie.
        case damaged
        /// Everything made right but the digests.
        case forgedWithoutDigests
        case forged
    }

    private let original: Corpus.Stream
    private let readSize: Int
    private let codec: Codec
    private let sorts: Bool

    init(_ original: Corpus.Stream, _ generator: inout SeededGenerator) {
        self.original = original
        readSize = generator.pick([1, 17, 64, 4096, .max])
        codec = generator.pick(Codec.allCases)
        sorts = generator.once(in: 8)
    }

    func run(_ bytes: [UInt8], _ damage: Damage) throws -> Outcome {
        let found = try reading { try StreamContent(bytes, readSize: readSize) }, file = try MutantFile(bytes)
        let byIndex = try reading { try mapped(file.path) }
        let saved = try reading { try salvaged(file.path) }
        guard case .content(let content) = found else {
            if damage == .damaged, case .content(let saved) = saved {
                guard saved.records.allSatisfy(original.content.records.contains) else { throw Failure("a record was salvaged that was never there") }
            }
            if case .content(let saved) = saved, saved.isSound { throw Failure("salvage finds nothing wrong with a stream that is refused") }
            _ = try reading { try StreamDifference.first(RecordStreamReader(MemorySource(original.bytes)), RecordStreamReader(MemorySource(bytes))) }
            return .refused
        }
        if damage == .damaged, bytes != original.bytes { throw Failure("damage was not noticed") }
        if damage == .forgedWithoutDigests { try expectSame(content, original.content, "contents of streams with the same digests") }
        try expectSame(byIndex, .content(content.records), "records read one after the other and by the index")
        try expectSame(saved, .content(Saved(records: content.records, isSound: true)), "records read and salvaged")
        try expectSame(try StreamContent(rewritten(content)), content, "a stream and its copy")
        guard try StreamDifference.first(RecordStreamReader(MemorySource(bytes)), RecordStreamReader(MemorySource(bytes))) == nil else {
            throw Failure("a stream differs from itself")
        }
        _ = try StreamDifference.first(RecordStreamReader(MemorySource(original.bytes)), RecordStreamReader(MemorySource(bytes)))
        try viewAndImport(content)
        if sorts { try rearrange(bytes, content) }
        return .accepted
    }

    private func mapped(_ path: String) throws -> [[UInt8]] {
        let stream = try MappedStream(path: path)
        _ = try stream.tail()
        return try stream.index.indices.flatMap { number in
            let block = try stream.block(number)
            return try (0 ..< block.count).map { try block.recordBytes($0) }
        }
    }

    private struct Saved: Equatable {
        var records: [[UInt8]]
        var isSound: Bool
    }

    private func salvaged(_ path: String) throws -> Saved {
        var salvage = try Salvage(path: path), records: [[UInt8]] = []
        let sink = MemorySink(), writer = try StreamWriter(to: sink, head: salvage.head, codec: codec)
        try salvage.run {
            records.append($0)
            try writer.append(record: $0)
        }
        try writer.finish(StreamTail(counts: salvage.account.json, licences: salvage.licences))
        _ = salvage.account.lines
        try expectSame(try StreamContent(sink.bytes).records, records, "records salvaged and records written")
        return Saved(records: records, isSound: salvage.account.diagnosis == nil)
    }

    private func rewritten(_ content: StreamContent) throws -> [UInt8] {
        let sink = MemorySink(), writer = try StreamWriter(to: sink, head: content.head, codec: codec)
        for record in content.records { try writer.append(record: record) }
        try writer.finish(content.tail)
        return sink.bytes
    }

    /// The view of a stream is a stream again: the same but for the bits that a NaN carries, so that the second view is the first.
    private func viewAndImport(_ content: StreamContent) throws {
        let label = try StreamLabel(head: content.head, tail: content.tail, content: "00", codec: codec, blocks: [1, 2]).line()
        guard let again = try label.withUnsafeBufferPointer({ try StreamLabel(line: $0, name: "label") }) else { throw Failure("a label is no label") }
        guard again.head == content.head, again.tail == content.tail, again.codec == codec, again.blocks == [1, 2] else { throw Failure("a label is of another stream") }
        let importer = ImportCheck(head: content.head)
        let records: [[UInt8]]
        switch try reading({ try importer.imported(Array(content.lines.joined())) }) {
        case .content(let imported): records = imported
        // A schema of somebody else's may be shown and not be read again, in words.
        case .refusal(let message):
            guard Corpus.knows(content.head.schema) else { return }
            throw Failure("what view shows is refused by import: \(message)")
        }
        let sink = MemorySink(), writer = try StreamWriter(to: sink, head: content.head, codec: codec)
        for record in records { try writer.append(record: record) }
        try writer.finish(content.tail)
        try expectSame(try StreamContent(sink.bytes).lines, content.lines, "a view and the view of what it was imported as")
    }

    /// Sorted and shuffled with no memory to speak of, the records are the same ones.
    private func rearrange(_ bytes: [UInt8], _ content: StreamContent) throws {
        func order() -> [AnyRecordReader] { (try? RecordStreamReader(MemorySource(bytes))).map { [AnyRecordReader($0)] } ?? [] }
        let sorted = content.records.sorted { $0.lexicographicallyPrecedes($1) }
        for memory in [1, 1 << 20] {
            var shuffled: [[UInt8]] = []
            try Rearranging.shuffle(order(), seed: 1, memory: memory) { shuffled.append($0) }
            try expectSame(shuffled.sorted { $0.lexicographicallyPrecedes($1) }, sorted, "records shuffled and not")
            for by in SortOrder.allCases {
                let found = try reading {
                    var ordered: [[UInt8]] = []
                    try Rearranging.sort(order(), by: by, memory: memory) { ordered.append($0) }
                    return ordered
                }
                guard case .content(let ordered) = found else { continue }
                try expectSame(ordered.sorted { $0.lexicographicallyPrecedes($1) }, sorted, "records sorted and not")
            }
        }
        for by in SortOrder.allCases {
            _ = try reading {
                var merged = 0
                try Rearranging.merge(order() + order(), by: by) { _ in merged += 1 }
                return merged
            }
        }
    }
}

