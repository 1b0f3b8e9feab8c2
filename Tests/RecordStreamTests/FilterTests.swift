import JSON
import SystemIO
import TestSupport
import Testing

@testable import RecordStream

/// Guarantee G3: a filter whose input ends early or is damaged fails, and what it wrote so far has no end mark, so that the next command in the pipe refuses it as well.
@Suite struct FilterTests {
    /// What every filter of the suite does: records in, records out, the end mark only after the input's.
    private func filter(_ input: [UInt8], to output: MemorySink) throws {
        let reader = try RecordReader<RatedRecord>(MemorySource(input, name: "input"))
        let provenance = Provenance(command: "uf-filter", recipe: 1, arguments: [], inputs: [reader.stream.head.provenance])
        let writer = try RecordStreamWriter<RatedRecord>(to: output, head: StreamHead(schema: RatedRecord.schema, provenance: provenance))
        writer.builder.target = 1
        while let record = try reader.next() { try writer.append(record) }
        try writer.finish(StreamTail(inputs: [reader.stream.asInput()]))
    }

    @Test func wholeInputGivesAWholeOutput() throws {
        let output = MemorySink()
        try filter(Sample.stream(SampleStream.fourRated, blockTarget: 1), to: output)
        #expect(try Sample.read(output.bytes, as: RatedRecord.self).map(\.id) == ["id-0", "id-1", "id-2", "id-3"])
    }

    @Test func everyCutInputGivesNoEndMark() throws {
        let input = try Sample.stream(SampleStream.fourRated, blockTarget: 1)
        // At every frame's and array's edge, and within.
        for length in stride(from: 0, to: input.count, by: 16) {
            let output = MemorySink()
            let status = #expect(throws: InputError.self, "cut to \(length)") { try filter(Array(input[..<length]), to: output) }?.status
            #expect(status == .invalidData && status?.rawValue == 65)
            #expect(throws: InputError.self, "cut to \(length): the output passes as whole") { try Sample.read(output.bytes, as: RatedRecord.self) }
        }
    }

    /// Cut where a dying upstream command cuts: after a whole block. The messages at the next two commands of the pipe.
    @Test func damageTravelsDownThePipe() throws {
        let input = try Sample.stream(SampleStream.fourRated, blockTarget: 1), stream = try DissectedStream(input)
        let start = try RecordStreamReader(MemorySource(input)).bytesRead
        let length = start + FrameHeader.size + stream.frames[1].payload.count
        let first = MemorySink(), second = MemorySink()
        #expect(
            throws: InputError(
                "input: frame 2 at byte \(length): the stream ends early, after \(length) bytes, without its end mark: it was cut, or the command that wrote it failed")
        ) { try filter(Array(input[..<length]), to: first) }
        let error = #expect(throws: InputError.self) { try filter(first.bytes, to: second) }
        #expect(error?.message.hasSuffix("without its end mark: it was cut, or the command that wrote it failed") == true)
    }

    @Test func failedWriterCannotFinish() throws {
        let sink = MemorySink()
        let writer = try RecordStreamWriter<LogProbRecord>(to: sink, head: StreamHead(schema: LogProbRecord.schema, provenance: Sample.provenance))
        try writer.append(Sample.logProbs[0])
        let expected = InputError("memory: record 1: 1 log-probabilities with 0 counts, or one that is not a finite number")
        #expect(throws: expected) { try writer.append(LogProbRecord(id: "x", logProbs: [.nan], tokenCounts: [])) }
        #expect(throws: expected) { try writer.append(Sample.logProbs[1]) }
        #expect(throws: expected) { try writer.finish(Sample.tail) }
        #expect(throws: InputError.self) { try Sample.read(sink.bytes, as: LogProbRecord.self) }
    }

    @Test func writersRefuseWhatReadersWould() throws {
        func refusal(_ change: (inout RatedRecord) -> Void) throws -> String? {
            var record = Sample.rated[0]
            change(&record)
            do {
                _ = try Sample.stream([Sample.rated[0], record])
                return nil
            } catch let error as InputError { return error.message }
        }
        #expect(try refusal { $0.responses.append("x") } == "memory: record 1: 4 ratings, 4 marks and 4 targets for 2 dimensions of 3 responses")
        #expect(try refusal { $0.ratings.dimensions[1] = "helpfulness" } == "memory: record 1: a dimension stands twice")
        #expect(try refusal { $0.responses[0] = Text([0x61, 0xFF]) } == "memory: records 0 to 1: column responses: text that is not UTF-8 (byte 6 of the column)")
        let builder = BlockBuilder(schema: RatedRecord.schema)
        Sample.rated[0].append(to: builder)
        try builder.endRecord()
        let first = builder.rawBytes
        Sample.rated[0].append(to: builder)
        try builder.endRecord()
        #expect(
            try refusal { $0.responses[0] = Text([UInt8](repeating: 0x61, count: StreamLimits.recordBytes)) }
                == "memory: record 1: the record has \(StreamLimits.recordBytes + builder.rawBytes - first - Sample.rated[0].responses[0].count) bytes; a record of the stream holds at most 67108864")
        let deep = (0 ..< 70).reduce(Sample.provenance) { inner, _ in Provenance(command: "uf-x", recipe: 1, arguments: [], inputs: [inner]) }
        #expect(throws: InputError("output: the stream's head is malformed: provenance without command (of this suite), recipe, arguments or inputs")) {
            try Sample.stream(Sample.rated, provenance: deep)
        }
    }
}
