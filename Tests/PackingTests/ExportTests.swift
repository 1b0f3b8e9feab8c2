import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing

@testable import Packing

/// What other programs get of packed records, held to the token records that they were made of and to what NumPy made of the same.
@Suite struct ExportTests {
    /// The array file's members: name and bytes. Reads what ZipWriter promises and nothing else: stored members, their places in the directory.
    private static func members(_ zip: [UInt8]) throws -> [String: [UInt8]] {
        func number(_ at: Int, _ size: Int) -> Int { (0 ..< size).reduce(0) { $0 | Int(zip[at + $1]) << (8 * $1) } }
        let end = zip.count - 22
        try #require(end >= 0 && number(end, 4) == 0x0605_4B50 && number(end + 12, 4) + number(end + 16, 4) == end)
        var at = number(end + 16, 4), found: [String: [UInt8]] = [:]
        for _ in 0 ..< number(end + 10, 2) {
            try #require(number(at, 4) == 0x0201_4B50 && number(at + 10, 2) == 0)
            let size = number(at + 24, 4), length = number(at + 28, 2), local = number(at + 42, 4)
            let start = local + 30 + number(local + 26, 2) + number(local + 28, 2)
            found[String(decoding: zip[at + 46 ..< at + 46 + length], as: UTF8.self)] = Array(zip[start ..< start + size])
            at += 46 + length + number(at + 30, 2)
        }
        return found
    }

    private struct Array2 {
        var header: String
        var values: [UInt8]

        init(_ file: [UInt8]?) throws {
            let file = try #require(file), length = Int(file[8]) | Int(file[9]) << 8
            try #require(file.starts(with: [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0]) && (10 + length) % 64 == 0)
            header = String(decoding: file[10 ..< 10 + length], as: UTF8.self)
            values = Array(file[(10 + length)...])
        }

        func numbers<Number: FixedWidthInteger>(_: Number.Type) -> [Number] {
            values.withUnsafeBytes { bytes in (0 ..< bytes.count / MemoryLayout<Number>.size).map { bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Number>.size, as: Number.self) } }
        }
    }

    private func arrays(_ bins: [PackedBin], _ layout: PackedLayout, _ padding: ArrayExporter.Padding = .init()) throws -> [String: [UInt8]] {
        let sink = MemorySink()
        let each: ArrayExporter.Bins = { visit in for bin in bins { try visit(bin) } }
        let exporter = try ArrayExporter(each, layout: layout, padding: padding)
        try exporter.write(each, to: sink)
        #expect(exporter.counts.records == bins.reduce(0) { $0 + $1.members.count })
        return try Self.members(sink.bytes)
    }

    @Test(arguments: [1, 3], [nil, 64] as [Int?]) func rowsEqualThePapersTensors(recordsPerBin: Int, length: Int?) throws {
        let cases = try #require(JSON.parse(readWholeFile(Fixtures.path("packing/paper_tensors.json")))["cases"]?.array)
        var compared = 0
        for entry in cases {
            let records = try #require(entry["records"]?.array).enumerated().map { try PaperTensorTests.record($1, line: $0 + 1) }
            var options = PackingOptions(layout: .rows16, maxLength: try #require(entry["max_length"]?.int))
            options.truncation = .paper
            options.recordsPerBin = recordsPerBin
            let expected = try PaperTensorTests.Tensors(#require(entry["tensors"]), target: "pi_target_bits")
            let own = expected.inputIDs[0].count
            if let length, length < own { continue }
            let files = try arrays(TokenRecords.pack(records, options).bins, .rows16, .init(length: length)), columns = length ?? own
            func matrix(_ name: String) throws -> [[Int]] {
                let array = try Array2(files[name + ".npy"]), values = array.numbers(Int64.self).map { Int($0) }
                #expect(array.header.hasPrefix("{'descr': '<i8', 'fortran_order': False, 'shape': (\(expected.target.count), \(columns)), }"))
                return stride(from: 0, to: values.count, by: columns).map { Array(values[$0 ..< $0 + columns]) }
            }
            func filled(_ rows: [[Int]], _ value: Int) -> [[Int]] { rows.map { $0 + [Int](repeating: value, count: columns - own) } }
            #expect(try matrix("input_ids") == filled(expected.inputIDs, 0))
            #expect(try matrix("attention_mask") == filled(expected.attentionMask, 0))
            #expect(try matrix("labels") == filled(expected.labels, -100))
            #expect(try Array2(files["pi_target.npy"]).numbers(UInt32.self) == expected.target)
            compared += 1
        }
        #expect(compared >= (length == nil ? cases.count : 2))
    }

    /// Every record of every layout is the token record that it came from: prompt, response, earlier answers; and its arrays say the same.
    @Test(arguments: PackedLayout.allCases) func recordsComeOutAsTheyWentIn(layout: PackedLayout) throws {
        var generator = SeededGenerator(seed: 11)
        let records = (0 ..< 150).map { TokenRecords.random($0, using: &generator, longest: 60) }
        var options = PackingOptions(layout: layout, maxLength: 4096)
        (options.answers, options.pairs) = (.all, .all)
        let bins = try TokenRecords.pack(records, options).bins
        let unpacked = try bins.flatMap { try $0.unpacked(layout) }
        #expect(unpacked.count > 60)
        var answers = 0
        for record in unpacked {
            let source = try #require(records.first { $0.id == record.member.id })
            // Layout pairs leaves responses out that no pair has.
            var places = record.sequences.indices.map { $0 }
            if layout == .pairs { places = record.sequences.map { sequence in source.responses.indices.first { source.prompt(of: $0).elementsEqual(sequence.prompt) && source.responses[$0] == Array(sequence.response) } ?? -1 } }
            for (sequence, place) in zip(record.sequences, places) {
                let number = try #require(source.responses.indices.contains(place) ? place : nil)
                #expect(Array(sequence.prompt) == source.prompts[source.prompts.count == 1 ? 0 : number].ids && Array(sequence.response) == source.responses[number])
                guard layout == .sft else { continue }
                #expect(sequence.answers == source.prompts[source.prompts.count == 1 ? 0 : number].answers.map { Int($0.lowerBound) ..< Int($0.upperBound) })
                answers += sequence.answers.count
            }
            #expect(record.rowCount == (layout == .rows16 ? source.ratings.targets.count : record.sequences.count))
        }
        #expect(layout != .sft || answers > 20)
        try holdArrays(bins, unpacked, layout)
    }

    private func holdArrays(_ bins: [PackedBin], _ records: [UnpackedRecord], _ layout: PackedLayout) throws {
        let files = try arrays(bins, layout, .init(token: 7)), names: [Text] = ["helpfulness", "honesty", "instruction_following", "truthfulness", "é"]
        let rows = records.flatMap { record in (0 ..< record.rowCount).map { record.sequences[$0 % record.sequences.count] } }
        let length = (rows.map(\.tokens.count).max()! + 7) / 8 * 8
        let labels = rows.flatMap { row in
            row.tokens.indices.map { place in row.learnt.contains { $0.contains(place) } ? Int64(row.tokens[place]) : -100 } + [Int64](repeating: -100, count: length - row.tokens.count)
        }
        #expect(try Array2(files["labels.npy"]).numbers(Int64.self) == labels)
        #expect(try Array2(files["input_ids.npy"]).numbers(Int64.self) == rows.flatMap { $0.tokens.map { Int64($0) } + [Int64](repeating: 7, count: length - $0.tokens.count) })
        let owners = records.enumerated().flatMap { number, record in [Int64](repeating: Int64(number), count: record.rowCount) }
        #expect(try Array2(files["record.npy"]).numbers(Int64.self) == owners)
        let ids = try Array2(files["record_ids.npy"])
        #expect(ids.header.hasPrefix("{'descr': '<U32'") && ids.numbers(UInt32.self) == records.flatMap { $0.member.id.bytes.map { UInt32($0) } })
        let dimensions = try Array2(files["dimensions.npy"])
        #expect(dimensions.header.hasPrefix("{'descr': '<U21'"))
        let order = stride(from: 0, to: dimensions.values.count, by: 84).map { start in
            Text(String(String.UnicodeScalarView(stride(from: start, to: start + 84, by: 4).compactMap { UnicodeScalar(UInt32(dimensions.values[$0])) }.filter { $0 != "\0" })))
        }
        #expect(Set(order) == Set(names) && order.count == names.count)
        guard layout != .rows16 else { return #expect(files["ratings.npy"] == nil) }
        let ratings = try Array2(files["ratings.npy"]), targets = try Array2(files["targets.npy"]).numbers(UInt64.self)
        #expect(ratings.header.hasPrefix("{'descr': '<f8', 'fortran_order': True, 'shape': (\(names.count), \(rows.count)), }"))
        var at = 0
        for record in records {
            for response in record.sequences.indices {
                for name in order {
                    let row = record.member.ratings.dimensions.firstIndex(of: name)
                    #expect(targets[at] == (row.map { record.member.ratings.targets[$0 * record.sequences.count + response] } ?? 0).bitPattern)
                    at += 1
                }
            }
        }
        guard layout == .pairs else { return }
        var pairs: [Int64] = [], first = 0
        for record in records {
            pairs += record.pairs.flatMap { [Int64(first + $0.better), Int64(first + $0.worse)] }
            first += record.rowCount
        }
        #expect(try Array2(files["pairs.npy"]).numbers(Int64.self) == pairs && pairs.count > 20)
    }

    private func record(_ number: Int, _ targets: [Double], prompts: Int = 1) -> TokensRecord {
        var record = TokenRecords.make(number, prompt: 2, responses: targets.map { _ in 2 }, dimensions: ["a"])
        record.ratings.targets = targets
        if prompts > 1 { record.prompts = (0 ..< prompts).map { TokenRecords.prompt([40 + UInt32($0), 50], [0, 2]) } }
        return record
    }

    private func lines(_ records: [TokensRecord], _ layout: PackedLayout, _ format: ExportFormat) throws -> (lines: [String], counts: ExportCounts) {
        var exporter = LineExporter(format, layout: layout)
        var lines: [String] = []
        for bin in try TokenRecords.pack(records, PackingOptions(layout: layout, maxLength: 64)).bins { lines += String(decoding: try exporter.lines(bin), as: UTF8.self).split(separator: "\n").map(String.init) }
        return (lines, exporter.counts)
    }

    @Test func pairsOfListsAreTheBestAndTheWorst() throws {
        // The first of equal ones; none where all are equal; TRL's pairs share a prompt, LLaMA-Factory's need not.
        let records = [record(0, [0.2, 0.4, 0.4, 0.0]), record(1, [0.5, 0.5]), record(2, [0.1, 0.9], prompts: 2)]
        let trl = try lines(records, .sharedPrefix, .trl)
        #expect(trl.lines == [#"{"id":"\#(TokenRecords.id(0))","prompt_ids":[0,1],"chosen_ids":[4,5],"rejected_ids":[8,9]}"#])
        #expect(trl.counts.summary == "skipped 2 of 3 records: 1 whose responses are all tied, 1 whose responses have prompts of their own, which a pair of TRL has not")
        for layout in [PackedLayout.sharedPrefix, .rows16] {
            let factory = try lines(records, layout, .llamafactory)
            #expect(factory.lines.first == #"{"chosen_input_ids":[0,1,4,5],"chosen_attention_mask":[1,1,1,1],"chosen_labels":[-100,-100,4,5],"rejected_input_ids":[0,1,8,9],"#
                + #""rejected_attention_mask":[1,1,1,1],"rejected_labels":[-100,-100,8,9],"images":null,"videos":null,"audios":null}"#)
            #expect(factory.lines.count == 2 && factory.lines[1].contains(#""chosen_input_ids":[41,50,4,5]"#) && factory.counts.summary == "skipped 1 of 3 records: 1 whose responses are all tied")
        }
        // Of several pairs each counts by itself: 1 and 2 share a prompt here, the others do not.
        var options = PackingOptions(layout: .pairs, maxLength: 64), exporter = LineExporter(.trl, layout: .pairs)
        options.pairs = .all
        var mixed = record(3, [0.2, 0.3, 0.5], prompts: 3)
        mixed.prompts[2] = mixed.prompts[1]
        let written = try TokenRecords.pack([mixed], options).bins.flatMap { String(decoding: try exporter.lines($0), as: UTF8.self).split(separator: "\n") }
        #expect(written.count == 1 && exporter.counts.summary == "left out 2 pairs of other records, whose two responses have prompts of their own")
        // The stream's own pairs.
        let own = try lines(records, .pairs, .trl)
        #expect(own.lines == trl.lines && own.counts.records == 2 && own.counts.written == 1)
    }

    @Test func sequencesToImitate() throws {
        var chat = TokenRecords.make(0, prompt: 5, responses: [2], dimensions: [])
        chat.prompts[0].answers = [2 ..< 4]
        #expect(try lines([chat], .sft, .trl).lines == [#"{"input_ids":[0,1,2,3,4,5,6],"attention_mask":[1,1,1,1,1,1,1],"labels":[-100,-100,2,3,-100,5,6]}"#])
        #expect(try lines([chat], .sft, .jsonl).lines == [
            #"{"id":"\#(TokenRecords.id(0))","source":"made-up","origin_input":1,"origin_line":1,"dimensions":[],"ratings":[],"rated":[],"targets":[],"#
                + #""responses":[{"input_ids":[0,1,2,3,4,5,6],"labels":[-100,-100,2,3,-100,5,6],"prompt_tokens_cut":0,"prompt_gaps":[],"response_tokens_cut":0}]}"#,
        ])
    }

    @Test func cutsAndMissingRatings() throws {
        var record = record(0, [0.25, 0.75])
        record.ratings.ratings = [.nan, 4]
        record.origin.line = .max
        record.responses[1] = (10 ..< 30).map { $0 }
        var options = PackingOptions(layout: .sharedPrefix, maxLength: 16)
        options.recordsPerBin = 1
        var exporter = LineExporter(.jsonl, layout: .sharedPrefix)
        let text = try exporter.lines(TokenRecords.pack([record], options).bins[0]), line = try JSON.parse(text)
        #expect(String(decoding: text, as: UTF8.self).contains(#","origin_line":18446744073709551615,"#))
        #expect(line["ratings"]?.array?[0].array?.map(\.double) == [nil, 4] && line["targets"]?.array?[0].array?.map(\.double) == [0.25, 0.75])
        #expect(line["responses"]?.array?.map { $0["response_tokens_cut"]?.int } == [0, 6])
        // What earlier releases packed has no places to tell.
        options.truncation = .paper
        var own = TokenRecords.make(1, prompt: 9, responses: [4, 4], turns: [0, 8])
        own.prompts.append(TokenRecords.prompt((0 ..< 20).map { $0 }, [0, 16]))
        var bin = try TokenRecords.pack([own], options).bins[0]
        func cuts(_ bin: PackedBin) throws -> [String] {
            try (JSON.parse(exporter.lines(bin))["responses"]?.array ?? []).map { "\($0["prompt_tokens_cut"]?.int ?? -1) \(try $0["prompt_gaps"].map { String(decoding: try $0.serialized(), as: UTF8.self) } ?? "none")" }
        }
        #expect(try cuts(bin) == ["0 []", #"8 [{"at":12,"tokens":8}]"#])
        bin.members[0].promptGaps = nil
        #expect(try cuts(bin) == ["0 none", "8 none"])
    }

    @Test func whatDoesNotFitIsTold() throws {
        let bins = try TokenRecords.pack([record(0, [0.5, 0.5])], PackingOptions(layout: .sharedPrefix, maxLength: 64)).bins
        #expect(throws: InputError("record \(TokenRecords.id(0)) is not laid out as rows16, which the stream's head says; make the stream again with uf-pack")) { try bins[0].unpacked(.rows16) }
        let long = TokenRecords.make(1, prompt: 5, responses: [2, 4])
        let each: ArrayExporter.Bins = { visit in for bin in try TokenRecords.pack([long], PackingOptions(maxLength: 64)).bins { try visit(bin) } }
        #expect(throws: InputError("record \(TokenRecords.id(1)) has a row of 9 tokens, which --pad-to 8 has no room for; give at least 16")) {
            _ = try ArrayExporter(each, layout: .sharedPrefix, padding: .init(length: 8))
        }
        // Other records in the second pass than in the first.
        var calls = 0
        let changing: ArrayExporter.Bins = { visit in
            calls += 1
            for bin in try TokenRecords.pack([TokenRecords.make(1, prompt: 5, responses: [Int](repeating: 2, count: calls + 1))], PackingOptions(maxLength: 64)).bins { try visit(bin) }
        }
        let error = #expect(throws: InputError.self) { try ArrayExporter(changing, layout: .sharedPrefix).write(changing, to: MemorySink()) }
        #expect(error?.status == .ioError && error?.message.contains("the records changed while they were exported") == true)
    }

    /// Fields of 64 bits are taken from 100 bytes on, and Python's reader understands them as it does the short ones.
    @Test(.enabled(if: Command.shell("python3 -c 'import zipfile'", in: "/").status == 0, "needs python3"), arguments: [100, 0xFFFF_FFFF] as [UInt64])
    func readersTakeLargeMembers(largest: UInt64) throws {
        let folder = TemporaryFolder(), sink = MemorySink()
        var zip = ZipWriter(sink, largest: largest)
        for (name, size) in [("small", 50), ("none", 0), ("large", 300), ("far", 20)] {
            try zip.begin(name, size: size)
            try zip.write([])
            for start in stride(from: 0, to: size, by: 7) { try zip.write((start ..< min(start + 7, size)).map { UInt8($0 % 251) }) }
        }
        try zip.finish()
        let file = try AtomicFile(path: folder.file("x.zip"))
        try file.write(sink.bytes)
        try file.finish()
        let outcome = Command.shell(
            """
            python3 -c '
            import zipfile
            with zipfile.ZipFile("x.zip") as z:
                assert z.testzip() is None
                for name, size in [("small", 50), ("none", 0), ("large", 300), ("far", 20)]:
                    assert z.read(name) == bytes(i % 251 for i in range(size)), name
                    assert z.getinfo(name).date_time == (1980, 1, 1, 0, 0, 0)
                print(*z.namelist())
            '
            """, in: folder.path)
        #expect(outcome.status == 0 && String(decoding: outcome.output, as: UTF8.self) == "small none large far\n", "\(outcome.errors)")
    }
}
