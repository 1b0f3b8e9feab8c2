import Checksums
import JSON
import RecordStream

/// What a record is known by: digests of its text, whatever the input, the options or the ratings.
enum RecordIdentity {
    /// 32 hexadecimal digits of SHA-256 over turns and responses, and over the responses' own system prompts where they are kept, each text preceded by its length.
    /// With its first 64 bits.
    static func id(_ record: RawPreference) -> (text: Text, hash: UInt64) {
        var sha = SHA256()
        feed(UInt64(record.turns.count), &sha)
        for turn in record.turns {
            feed(turn.role.bytes[...], &sha)
            feed(turn.content.bytes[...], &sha)
        }
        feed(UInt64(record.responses.count), &sha)
        for response in record.responses { feed(response.bytes[...], &sha) }
        for system in record.responseSystems { feed(system.bytes[...], &sha) }
        let digest = sha.digest()
        return (Text(hexadecimalDigits(digest.prefix(16))), firstWord(digest))
    }

    /// 64 bits of SHA-256 over the turns, without white space at their ends: records with the same prompt belong to the same part of a split.
    static func promptHash(_ record: RawPreference) -> UInt64 {
        var sha = SHA256()
        for turn in record.turns {
            feed(turn.role.bytes[...], &sha)
            turn.content.bytes.withUnsafeBufferPointer { feed(RatingValue.trim($0), &sha) }
        }
        return firstWord(sha.digest())
    }

    private static func firstWord(_ digest: [UInt8]) -> UInt64 { digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }

    private static func feed(_ number: UInt64, _ sha: inout SHA256) {
        withUnsafeBytes(of: number.littleEndian) { sha.update($0) }
    }

    private static func feed(_ bytes: ArraySlice<UInt8>, _ sha: inout SHA256) {
        feed(UInt64(bytes.count), &sha)
        bytes.withUnsafeBytes { sha.update($0) }
    }

    private static func feed(_ bytes: Slice<UnsafeBufferPointer<UInt8>>, _ sha: inout SHA256) {
        feed(UInt64(bytes.count), &sha)
        sha.update(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes)))
    }
}
