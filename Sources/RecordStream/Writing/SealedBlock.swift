import Checksums
import SystemIO

/// A block made ready to be written but for its digest: checked, compressed, with its checksum. It is what takes time in writing a stream, and needs nothing but the
/// block itself, so that another thread can do it while the next block fills.
struct SealedBlock: @unchecked Sendable {
    let firstRecord: Int
    let records: Int
    let rawBytes: Int
    let storedBytes: Int
    /// Of the stored payload with its padding.
    let checksum: UInt32
    private let raw: RawBuffer
    private let packed: [UInt8]?

    /// A block before that.
    struct Filled: @unchecked Sendable {
        /// As `BlockBuilder.payload` makes it; not changed from here on.
        let payload: RawBuffer
        let schema: Schema
        let firstRecord: Int
        let records: Int
        let codec: Codec
        /// Of the stream, for messages.
        let name: String
        /// Whether its records are held to the rules of their kind here.
        let checksRecords: Bool
    }

    /// Throws for a block that no reader would take.
    init(_ block: Filled) throws {
        try block.check()
        firstRecord = block.firstRecord
        records = block.records
        raw = block.payload
        rawBytes = raw.count
        packed = block.codec == .none ? nil : try withExtendedLifetime(raw) { [raw] in try block.codec.compressed(raw.bytes) }
        storedBytes = packed?.count ?? raw.count
        checksum = packed.map { crc32c(paddingTo64($0.count), continuing: crc32c($0)) } ?? crc32c(paddingTo64(raw.count), continuing: crc32c(raw.bytes))
    }

    func withStored(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        if let packed { try packed.withUnsafeBytes(body) } else { try withExtendedLifetime(raw) { try body(raw.bytes) } }
    }
}

/// The zero bytes after `count` bytes, up to a multiple of 64.
func paddingTo64(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count.aligned - count) }

extension SealedBlock.Filled {
    /// The reader's own check: text that is not UTF-8 stops here, with its place, and not in whoever reads the file.
    fileprivate func check() throws {
        do {
            let block = try Block(schema: schema, name: name, firstRecord: firstRecord, count: records, payload: payload.bytes, owner: payload)
            if checksRecords { for record in 0 ..< records { try block.checkRules(record) } }
        } catch let error as InputError { throw error.at("\(name): records \(firstRecord) to \(firstRecord + records - 1)") }
    }
}
