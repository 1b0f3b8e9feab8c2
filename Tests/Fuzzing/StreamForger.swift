import JSON
import TestSupport

/// Streams changed at one or two places of their structure by somebody who then made everything else right, so that what lies behind the checksums is reached.
enum StreamForger {
    static func forged(
        _ stream: DissectedStream, others: [Corpus.Stream], _ generator: inout SeededGenerator
    ) -> (bytes: [UInt8], digests: DissectedStream.Digests) {
        var stream = stream
        var index: [UInt8]?, markLies: [(inout DissectedStream.EndMark) -> Void] = []
        for _ in 0 ... (generator.once(in: 3) ? 1 : 0) {
            switch generator.below(16) {
            case 0 ... 5: forgeBlock(&stream, &generator)
            case 6, 7: forgeJSON(&stream, &generator)
            case 8: forgeHeader(&stream, &generator)
            case 9: forgeStored(&stream, &generator)
            case 10: moveFrames(&stream, generator.pick(others).dissected, &generator)
            case 11: index = ByteMutator.damaged(stream.index, &generator)
            case 12:
                let bytes = headerLie(&generator)
                if generator.once(in: 2) { stream.indexLies[bytes.at] = bytes.lie } else { stream.doneLies[bytes.at] = bytes.lie }
            case 13: markLies.append(markLie(&generator))
            case 14 where !stream.frames.isEmpty:
                let frame = generator.below(stream.frames.count)
                stream.frames[frame].records = generator.pick([0, 1, 2, 65_535, 65_536, 65_537, 0x7FFF_FFFF, 0xFFFF_FFFF])
            default: recompress(&stream, &generator)
            }
        }
        let digests: DissectedStream.Digests = generator.once(in: 6) ? .kept : .remade
        let bytes = try? stream.assembled(digests, index: index) { mark in markLies.forEach { $0(&mark) } }
        return (bytes ?? [], digests)
    }

    private static func dataFrame(_ stream: DissectedStream, _ generator: inout SeededGenerator) -> Int? {
        let data = stream.frames.indices.filter { stream.frames[$0].kind == .data && !stream.frames[$0].payload.isEmpty }
        return data.isEmpty ? nil : generator.pick(data)
    }

    private static func forgeBlock(_ stream: inout DissectedStream, _ generator: inout SeededGenerator) {
        guard let frame = dataFrame(stream, &generator), stream.frames[0].kind == .head else { return }
        let payload = stream.frames[frame].payload
        guard generator.below(8) > 0, let whole = DissectedBlock(checking: payload, arrayCount: stream.arrayCount) else {
            stream.frames[frame].payload = ByteMutator.damaged(payload, &generator)
            return
        }
        var block = whole
        for _ in 0 ... (generator.once(in: 2) ? 0 : generator.below(3)) { block.scramble(using: &generator) }
        stream.frames[frame].payload = block.payload
    }

    /// HEAD or TAIL: changed as JSON, and half of the time brought to the canonical form again, so that what comes after that check is reached.
    private static func forgeJSON(_ stream: inout DissectedStream, _ generator: inout SeededGenerator) {
        let texts = stream.frames.indices.filter { stream.frames[$0].kind != .data }
        guard !texts.isEmpty else { return }
        let frame = generator.pick(texts)
        let text = TextMutator.mutated(stream.frames[frame].payload, strangers: texts.map { stream.frames[$0].payload }, &generator)
        let canonical = try? JSON.parse(text).canonical
        stream.frames[frame].payload = generator.once(in: 3) ? text : canonical ?? text
    }

    private static func headerLie(_ generator: inout SeededGenerator) -> (at: Int, lie: [UInt8]) {
        let wide: [UInt64] = [
            0, 1, 2, 63, 64, 65, 321, 1 << 20, 1 << 24, (1 << 24) + 1, 1 << 27, (1 << 27) + 1, 1 << 32, 1 << 62, 1 << 63, .max, .max - 63,
            UInt64.random(in: 0 ... .max, using: &generator),
        ]
        switch generator.below(10) {
        case 0: return (0, littleEndian(UInt64.random(in: 0 ... .max, using: &generator)))
        case 1: return (8, Array(generator.pick(["HEAD", "DATA", "TAIL", "INDX", "DONE", "data", "\0\0\0\0"]).utf8))
        case 2: return (12, [generator.pick([0, 1, 2, 255])])
        case 3: return (13, [generator.pick([0, 1, 2, 3, 255])])
        case 4: return (14, [generator.pick([0, 1]), generator.pick([0, 128])])
        case 5, 6: return (generator.pick([16, 24]), littleEndian(generator.pick(wide)))
        case 7: return (generator.pick([32, 40]), littleEndian(generator.pick(wide)))
        case 8: return (48, littleEndian(generator.pick([0, 1, 2, 3, 65_536, 65_537, .max] as [UInt32])))
        default: return (generator.pick([52, 56]), littleEndian(UInt32.random(in: 0 ... .max, using: &generator)))
        }
    }

    private static func forgeHeader(_ stream: inout DissectedStream, _ generator: inout SeededGenerator) {
        guard !stream.frames.isEmpty else { return }
        let frame = generator.below(stream.frames.count), lie = headerLie(&generator)
        stream.frames[frame].lies[lie.at] = lie.lie
    }

    /// What the decompressor gets, with the checksum right.
    private static func forgeStored(_ stream: inout DissectedStream, _ generator: inout SeededGenerator) {
        guard let frame = dataFrame(stream, &generator) else { return }
        stream.frames[frame].stored = ByteMutator.damaged(stream.frames[frame].compressed, &generator)
    }

    private static func recompress(_ stream: inout DissectedStream, _ generator: inout SeededGenerator) {
        guard let frame = dataFrame(stream, &generator) else { return }
        stream.frames[frame].codec = generator.pick([0, 1, 2, 3])
    }

    private static func moveFrames(_ stream: inout DissectedStream, _ other: DissectedStream, _ generator: inout SeededGenerator) {
        guard !stream.frames.isEmpty else { return }
        let at = generator.below(stream.frames.count)
        switch generator.below(4) {
        case 0: stream.frames.remove(at: at)
        case 1: stream.frames.insert(stream.frames[at], at: generator.below(stream.frames.count + 1))
        case 2: stream.frames.swapAt(at, generator.below(stream.frames.count))
        default: stream.frames[at] = generator.pick(other.frames)
        }
    }

    private static func markLie(_ generator: inout SeededGenerator) -> (inout DissectedStream.EndMark) -> Void {
        let value = generator.pick([0, 1, 64, 1 << 20, 1 << 32, 1 << 63, .max] as [UInt64]), byte = generator.below(16)
        switch generator.below(6) {
        case 0: return { $0.indexOffset = value }
        case 1: return { $0.records = value }
        case 2: return { $0.dataFrames = value }
        case 3: return { $0.headerChain ^= UInt32(truncatingIfNeeded: value) }
        case 4: return { $0.contentDigest[byte] ^= 1 }
        default: return { $0.streamDigest[byte] ^= 1 }
        }
    }
}
