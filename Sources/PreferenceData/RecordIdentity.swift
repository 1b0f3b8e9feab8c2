import Checksums
import JSON
import RecordStream

/// What a record is known by: digests of its text, whatever the input, the options or the ratings.
struct RecordIdentity: Equatable {
    /// The first 128 bits of SHA-256 over turns and responses, and over the responses' own system prompts where they are kept, each text preceded by its length.
    let id: [UInt32]
    /// 64 bits of SHA-256 over the turns, without white space at their ends: records with the same prompt belong to the same part of a split.
    let promptHash: UInt64

    /// The first 64 bits of the id.
    var idHash: UInt64 { UInt64(id[0]) << 32 | UInt64(id[1]) }
    /// 32 hexadecimal digits.
    var idText: Text { Text(hexadecimalDigits(id.flatMap { word in (0 ..< 4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) } })) }

    /// Of several records at once, which takes less time than of one after the other.
    static func identities(of records: [RawPreference], with digests: inout MessageDigests) -> [RecordIdentity] {
        for record in records {
            feed(record, &digests)
            digests.endMessage()
            feedPrompt(of: record, &digests)
            digests.endMessage()
        }
        let words = digests.finish()
        return records.indices.map { i in
            RecordIdentity(id: Array(words[(16 * i) ..< (16 * i + 4)]), promptHash: UInt64(words[16 * i + 8]) << 32 | UInt64(words[16 * i + 9]))
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
