import CChecksums

/// CRC-32C (Castagnoli): finds every single flipped bit and every burst of up to 32 bits.
public func crc32c(_ bytes: UnsafeRawBufferPointer, continuing crc: UInt32 = 0) -> UInt32 {
    uf_crc32c(crc, bytes.baseAddress, bytes.count)
}

public func crc32c(_ bytes: [UInt8], continuing crc: UInt32 = 0) -> UInt32 {
    bytes.withUnsafeBytes { crc32c($0, continuing: crc) }
}
