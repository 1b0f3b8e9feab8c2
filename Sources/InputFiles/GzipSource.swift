import CZlib
import SystemIO

/// Decodes gzip, one member after the other. zlib itself rather than libarchive, because libarchive 3.6 checks neither the checksum nor the
/// length at the end of a member and passes over whatever follows the last one (measured with flipped and appended bytes).
final class GzipSource: ByteSource {
    let name: String
    private let source: any ByteSource
    private var stream = z_stream()
    private let input: UnsafeMutableRawBufferPointer
    private var isOpen = false
    private var atEnd = false
    private var betweenMembers = false
    /// Compressed bytes taken so far, for messages.
    private var consumed = 0

    init(_ source: any ByteSource) throws {
        self.source = source
        name = source.name
        input = .allocate(byteCount: 1 << 16, alignment: 16)
        // 15 bits of window, + 16: gzip with its header, checksum and length.
        guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw InputError("\(name): no memory to decode gzip", status: .internalError)
        }
        isOpen = true
    }

    deinit {
        if isOpen { inflateEnd(&stream) }
        input.deallocate()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard !atEnd, !buffer.isEmpty else { return 0 }
        let wanted = min(buffer.count, 1 << 30)
        stream.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.avail_out = UInt32(wanted)
        while stream.avail_out == UInt32(wanted) {
            if stream.avail_in == 0, try !refill() {
                if betweenMembers { atEnd = true; return 0 }
                throw InputError("\(name): the gzip data end early, after byte \(consumed): the file is cut; copy or fetch it again")
            }
            if betweenMembers, try !nextMember() { atEnd = true; return 0 }
            let before = stream.avail_in
            let result = inflate(&stream, Z_NO_FLUSH)
            consumed += Int(before - stream.avail_in)
            switch result {
            case Z_OK, Z_BUF_ERROR: break
            case Z_STREAM_END: betweenMembers = true
            default:
                let reason = stream.msg.map { String(cString: $0) } ?? "error \(result)"
                throw InputError("\(name): the gzip data are damaged before byte \(consumed): \(reason); copy or fetch the file again")
            }
        }
        return wanted - Int(stream.avail_out)
    }

    private func refill() throws -> Bool {
        let count = try source.read(into: input)
        stream.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.avail_in = UInt32(count)
        return count > 0
    }

    /// After the end of a member: another one follows, or zero padding, or nothing. False at the end of the file.
    private func nextMember() throws -> Bool {
        while true {
            while stream.avail_in > 0, stream.next_in.pointee == 0 {
                stream.next_in += 1
                stream.avail_in -= 1
                consumed += 1
            }
            if stream.avail_in > 0 { break }
            if try !refill() { return false }
        }
        guard stream.next_in.pointee == 0x1F else {
            throw InputError("\(name): bytes that are no gzip follow the end of the gzip data at byte \(consumed)")
        }
        betweenMembers = false
        inflateReset(&stream)
        return true
    }
}

/// A source whose first bytes were looked at.
final class PeekedSource: ByteSource {
    let name: String
    private let source: any ByteSource
    private(set) var head: [UInt8]
    private var position = 0

    init(_ source: any ByteSource, count: Int) throws {
        self.source = source
        name = source.name
        head = try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = try source.readFully(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard position < head.count else { return try source.read(into: buffer) }
        let count = min(buffer.count, head.count - position)
        head.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[position..<position + count])) }
        position += count
        return count
    }
}
