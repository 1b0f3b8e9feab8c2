import JSON
import SystemIO
import TestSupport
import Testing

@testable import RecordStream

/// Guarantee G2 against damage that no plain checksum can see: every CRC, tag, number, index and total is made right again after the attack, and only
/// the SHA-256 digests of the end mark are as they were.
@Suite struct StructuralAttackTests {
    static let foreignBlock = "the digest of the content does not match: blocks were exchanged or altered"
    static let foreignFrame = "the end mark does not match the stream before it: frames were exchanged or altered"

    /// Four records in four blocks.
    private func stream(_ provenance: Provenance = Sample.provenance, codec: Codec = .none) throws -> DissectedStream {
        try DissectedStream(Sample.stream(SampleStream.fourRated, codec: codec, provenance: provenance, blockTarget: 1))
    }

    private func refusal(_ bytes: [UInt8]) throws -> String? {
        do {
            _ = try Sample.read(bytes, as: RatedRecord.self)
            return nil
        } catch let error as InputError { return error.message }
    }

    @Test(arguments: Codec.allCases) func reassemblyIsFaithful(codec: Codec) throws {
        let bytes = try Sample.stream(SampleStream.fourRated, codec: codec, blockTarget: 1)
        #expect(try DissectedStream(bytes).assembled(.kept) == bytes)
        #expect(try DissectedStream(bytes).assembled(.remade) == bytes)
    }

    @Test func droppedBlock() throws {
        for block in 1 ... 4 {
            var attacked = try stream()
            attacked.frames.remove(at: block)
            #expect(try refusal(attacked.assembled(.kept))?.hasSuffix(Self.foreignBlock) == true)
            // The totals kept as well: then the count alone gives it away.
            let bytes = try attacked.assembled(.kept) { $0.records = 4 }
            #expect(try refusal(bytes)?.hasSuffix("the end mark counts 4 records, but 3 were read") == true)
        }
    }

    @Test func doubledBlock() throws {
        for block in 1 ... 4 {
            var attacked = try stream()
            attacked.frames.insert(attacked.frames[block], at: block)
            #expect(try refusal(attacked.assembled(.kept))?.hasSuffix(Self.foreignBlock) == true)
        }
    }

    @Test func swappedBlocks() throws {
        for first in 1 ... 3 {
            var attacked = try stream()
            attacked.frames.swapAt(first, first + 1)
            #expect(try refusal(attacked.assembled(.kept))?.hasSuffix(Self.foreignBlock) == true)
        }
    }

    @Test func framesOfAnotherStream() throws {
        let other = try DissectedStream(Sample.stream(SampleStream.fourRated.map { record in
            var record = record
            record.responses[0] = "no"
            return record
        }, provenance: Provenance(command: "uf-other", recipe: 1, arguments: []), blockTarget: 1))
        for frame in 0 ... 5 {
            var attacked = try stream()
            attacked.frames[frame] = other.frames[frame]
            if frame == 5 { attacked.frames[frame].payload = Array(#"{"counts":{"records":4},"inputs":[],"licences":{}}"#.utf8) }
            let expected = (1 ... 4).contains(frame) ? Self.foreignBlock : Self.foreignFrame
            #expect(try refusal(attacked.assembled(.kept))?.hasSuffix(expected) == true, "frame \(frame)")
        }
    }

    /// A block with another stream's tag: what `cat` of two streams, or a block pasted in, looks like to the frame check itself.
    @Test func foreignTag() throws {
        let one = try Sample.stream(SampleStream.fourRated, blockTarget: 1)
        let other = try Sample.stream(SampleStream.fourRated, provenance: Provenance(command: "uf-other", recipe: 1, arguments: []), blockTarget: 1)
        let (frames, foreign) = (DissectedStream.frameRanges(one), DissectedStream.frameRanges(other))
        let pasted = Array(one[..<frames[2].lowerBound] + other[foreign[2]] + one[frames[2].upperBound...])
        #expect(try refusal(pasted) == "memory: frame 2 at byte \(frames[2].lowerBound): the frame belongs to another stream")
        let swapped = Array(one[..<frames[1].lowerBound] + one[frames[2]] + one[frames[1]] + one[frames[2].upperBound...])
        #expect(try refusal(swapped) == "memory: frame 1 at byte \(frames[1].lowerBound): this is frame 2: frames are missing, doubled or out of order")
        #expect(try refusal(one + other) == "memory: at byte \(one.count): there is more after the end mark (streams joined with cat are not one stream; name them all as inputs instead)")
    }

    @Test(arguments: Codec.allCases) func oneValueChanged(codec: Codec) throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0 ..< 200 {
            var attacked = try stream(codec: codec)
            let frame = Int.random(in: 0 ..< attacked.frames.count, using: &generator)
            let byte = Int.random(in: 0 ..< attacked.frames[frame].payload.count, using: &generator)
            attacked.frames[frame].payload[byte] ^= UInt8.random(in: 1 ... 255, using: &generator)
            #expect(try refusal(attacked.assembled(.kept)) != nil, "frame \(frame), byte \(byte)")
        }
    }

    @Test func changedRating() throws {
        var attacked = try stream()
        var block = DissectedBlock(attacked.frames[1].payload, schema: RatedRecord.schema)
        let ratings = RatedRecord.schema.firstArray("ratings") + 1
        block.arrays[ratings].replaceSubrange(0 ..< 8, with: withUnsafeBytes(of: 3.0.bitPattern) { Array($0) })
        attacked.frames[1].payload = block.payload
        #expect(try refusal(attacked.assembled(.kept))?.hasSuffix(Self.foreignBlock) == true)
        #expect(try refusal(attacked.assembled(.remade)) == nil)
    }

    @Test func foreignIndex() throws {
        let attacked = try stream()
        let shorter = try DissectedStream(Sample.stream(Array(SampleStream.fourRated.prefix(3)), blockTarget: 1)).index
        #expect(try refusal(attacked.assembled(.remade, index: shorter))?.hasSuffix("an index of 96 bytes for 4 blocks") == true)
        for byte in attacked.index.indices {
            var index = attacked.index
            index[byte] ^= 1
            #expect(try refusal(attacked.assembled(.remade, index: index))?.hasSuffix("the index does not match the blocks before it") == true, "byte \(byte)")
        }
        #expect(try refusal(attacked.assembled(.remade) { $0.indexOffset += 64 })?.hasSuffix(Self.foreignFrame) == true)
        #expect(try refusal(attacked.assembled(.remade) { $0.headerChain ^= 1 })?.hasSuffix(Self.foreignFrame) == true)
        #expect(try refusal(attacked.assembled(.remade) { $0.dataFrames = 5 })?.hasSuffix("the end mark counts 5 blocks, but 4 were read") == true)
    }

    @Test func framesOutOfPlace() throws {
        var tailFirst = try stream()
        tailFirst.frames.swapAt(4, 5)
        #expect(try refusal(tailFirst.assembled(.remade))?.hasSuffix("a DATA frame where INDX was expected") == true)
        var twoHeads = try stream()
        twoHeads.frames.insert(twoHeads.frames[0], at: 1)
        #expect(try refusal(twoHeads.assembled(.remade))?.hasSuffix("a HEAD frame where DATA or TAIL was expected") == true)
        var noTail = try stream()
        noTail.frames.removeLast()
        #expect(try refusal(noTail.assembled(.remade))?.hasSuffix("a INDX frame where DATA or TAIL was expected") == true)
        var noHead = try stream()
        noHead.frames.removeFirst()
        #expect(try refusal(noHead.assembled(.remade)) == "memory: frame 0 at byte 0: a DATA frame where HEAD was expected")
    }
}

extension SampleStream {
    /// Four records that differ.
    static let fourRated: [RatedRecord] = (0 ..< 4).map { number in
        var record = Sample.rated[number % 3]
        record.id = Text("id-\(number)")
        record.origin.line = UInt64(number + 1)
        return record
    }
}
