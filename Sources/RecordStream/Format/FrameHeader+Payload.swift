import Checksums
import SystemIO

/// From stored bytes to a payload that can be believed; the same for streams that are read from a pipe and for files that are mapped.
extension FrameHeader {
    /// Bytes that the payload takes in the stream, with its padding.
    var paddedBytes: Int { storedBytes.aligned }
    /// Bytes of the whole frame.
    var frameBytes: Int { FrameHeader.size + paddedBytes }

    /// Holds the payload as it is stored, padding included, to the header's checksum.
    func check(stored: UnsafeRawBufferPointer) throws {
        guard crc32c(stored) == payloadChecksum else { throw InputError("the payload's checksum does not match: the data is damaged") }
        guard stored[storedBytes...].allSatisfy({ $0 == 0 }) else { throw InputError("padding after the payload is not zero") }
    }

    /// The raw payload of a compressed frame.
    func unpacked(_ stored: UnsafeRawBufferPointer) throws -> RawBuffer {
        let raw = RawBuffer(capacity: rawBytes)
        raw.resize(to: rawBytes)
        try codec.decompress(UnsafeRawBufferPointer(rebasing: stored[..<storedBytes]), into: raw.mutableBytes)
        return raw
    }
}
