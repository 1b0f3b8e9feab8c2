import Checksums
import SystemIO

/// A block made ready to be written: checked, compressed, with its checksum and its digest. It is what takes time in writing a stream, and needs nothing but the
/// block itself, so that another thread can do it while the next block fills.
struct SealedBlock: @unchecked Sendable {
    let firstRecord: Int
    let records: Int
    let rawBytes: Int
    let storedBytes: Int
    /// Of the stored payload with its padding.
    let checksum: UInt32
    /// Of the raw payload.
    let sha256: [UInt8]
    private let raw: RawBuffer
    private let packed: [UInt8]?

    /// - Parameters:
    ///   - payload: as `BlockBuilder.payload` makes it; not changed from here on.
    ///   - name: of the stream, for messages.
    init(_ payload: RawBuffer, schema: Schema, firstRecord: Int, records: Int, codec: Codec, name: String) throws {
        do {
            // The reader's own check: text that is not UTF-8 stops here, with its place, and not in whoever reads the file.
            _ = try Block(schema: schema, name: name, firstRecord: firstRecord, count: records, payload: payload.bytes, owner: payload)
        } catch let error as InputError { throw error.at("\(name): records \(firstRecord) to \(firstRecord + records - 1)") }
        self.firstRecord = firstRecord
        self.records = records
        raw = payload
        rawBytes = payload.count
        packed = codec == .none ? nil : try withExtendedLifetime(payload) { try codec.compressed(payload.bytes) }
        storedBytes = packed?.count ?? payload.count
        var sha = SHA256()
        sha.update(payload.bytes)
        sha256 = sha.digest()
        checksum = packed.map { crc32c(paddingTo64($0.count), continuing: crc32c($0)) } ?? crc32c(paddingTo64(payload.count), continuing: crc32c(payload.bytes))
    }

    func withStored(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        if let packed { try packed.withUnsafeBytes(body) } else { try withExtendedLifetime(raw) { try body(raw.bytes) } }
    }
}

/// The zero bytes after `count` bytes, up to a multiple of 64.
func paddingTo64(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count.aligned - count) }
