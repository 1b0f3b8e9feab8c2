import Checksums
import JSON
import RecordStream

/// What a record is known by: digests of its text, whatever the input, the options or the ratings.
struct RecordIdentity {
    /// The first 128 bits of SHA-256 over turns and responses, and over the responses' own system prompts where they are kept, each text preceded by its length.
    let id: (high: UInt64, low: UInt64)
    /// 64 bits of SHA-256 over the turns, without white space at their ends: records with the same prompt belong to the same part of a split.
    let promptHash: UInt64

    /// 32 hexadecimal digits.
    var idText: Text {
        Text([UInt8](unsafeUninitializedCapacity: 32) { digits, count in
            for i in 0 ..< 16 {
                let shift = UInt64(60 - 4 * i)
                digits[i] = RecordIdentity.digit(id.high >> shift & 15)
                digits[16 + i] = RecordIdentity.digit(id.low >> shift & 15)
            }
            count = 32
        })
    }

    private static func digit(_ value: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: value < 10 ? 0x30 + value : 0x57 + value) }

    /// Of several records at once, which takes less time than of one after the other.
    static func identities(of groups: UnsafeBufferPointer<RowGroup>, with digests: inout MessageDigests) -> [RecordIdentity] {
        for i in groups.indices {
            feed(groups[i].record, &digests)
            digests.endMessage()
            feedPrompt(of: groups[i].record, &digests)
            digests.endMessage()
        }
        let words = digests.finish()
        return groups.indices.map { i in
            func two(_ at: Int) -> UInt64 { UInt64(words[16 * i + at]) << 32 | UInt64(words[16 * i + at + 1]) }
            return RecordIdentity(id: (two(0), two(2)), promptHash: two(8))
        }
    }

    private static func feed(_ record: RawPreference, _ digests: inout MessageDigests) {
        feed(record.turns.count, &digests)
        for turn in record.turns {
            feed(turn.role, &digests)
            feed(turn.content, &digests)
        }
        feed(record.responses.count, &digests)
        for response in record.responses { feed(response, &digests) }
        for system in record.responseSystems { feed(system, &digests) }
    }

    private static func feedPrompt(of record: RawPreference, _ digests: inout MessageDigests) {
        for turn in record.turns {
            feed(turn.role, &digests)
            turn.content.bytes.withUnsafeBufferPointer { feed(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: RatingValue.trim($0))), &digests) }
        }
    }

    private static func feed(_ text: Text, _ digests: inout MessageDigests) { text.bytes.withUnsafeBytes { feed($0, &digests) } }

    private static func feed(_ bytes: UnsafeRawBufferPointer, _ digests: inout MessageDigests) {
        feed(bytes.count, &digests)
        digests.append(bytes)
    }

    private static func feed(_ number: Int, _ digests: inout MessageDigests) { withUnsafeBytes(of: UInt64(number).littleEndian) { digests.append($0) } }
}
