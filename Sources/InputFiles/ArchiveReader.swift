import CArchive
import SystemIO

/// The files inside an input: the input itself, decompressed (bz2, xz, zstd; gzip is decoded before), or the regular files of a tar or zip
/// archive in their order. Other formats of libarchive stay off: some refer to files outside the archive, and for each that is on the end
/// must be checked here, because libarchive takes a tar or zip that stops between two members for a whole one.
final class ArchiveReader: MemberReader {
    private let archive: OpaquePointer
    private let feed: ArchiveFeed
    private let name: String
    /// Whether a gzip was taken off before the bytes came here, so that positions are not those of the file.
    private let isUnpacked: Bool
    private var member = ""
    private var positionAfterMember = 0
    private var members = 0
    private var isEmpty = false
    /// The first bytes of the current file, which were looked at and not yet read.
    private var ahead: ArraySlice<UInt8> = []
    private(set) var passedOver: [String] = []

    /// - Parameter head: the first bytes of the source, which show what compression is meant even when the rest is too damaged for libarchive.
    init(_ source: any ByteSource, head: [UInt8]) throws {
        name = source.name
        isUnpacked = source is GzipSource
        feed = ArchiveFeed(source)
        guard let archive = archive_read_new() else { throw InputError("\(source.name): no memory to read an archive", status: .internalError) }
        self.archive = archive
        archive_read_support_filter_bzip2(archive)
        archive_read_support_filter_xz(archive)
        archive_read_support_filter_zstd(archive)
        archive_read_support_format_tar(archive)
        archive_read_support_format_zip_streamable(archive)
        archive_read_support_format_raw(archive)
        archive_read_support_format_empty(archive)
        let result = archive_read_open(archive, Unmanaged.passUnretained(feed).toOpaque(), nil, { _, client, start in
            guard let client, let start else { return -1 }
            return Unmanaged<ArchiveFeed>.fromOpaque(client).takeUnretainedValue().read(start)
        }, nil)
        if result != ARCHIVE_OK { throw failure() }
        let magics: [(String, [UInt8])] = [("bzip2", [0x42, 0x5A, 0x68]), ("xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A]), ("zstd", [0x28, 0xB5, 0x2F, 0xFD])]
        for (compression, magic) in magics where head.starts(with: magic) && archive_filter_count(archive) == 1 {
            throw InputError("\(name): begins like \(compression) data but is cut or damaged at its start; copy or fetch it again")
        }
    }

    deinit { archive_read_free(archive) }

    /// Steps to the next file and returns its name inside the archive, "" for an input that is no archive; nil after the last.
    func nextMember() throws -> String? {
        if isEmpty { return nil }
        while true {
            var entry: OpaquePointer?
            let result = archive_read_next_header(archive, &entry)
            if result == ARCHIVE_EOF {
                try checkEnd()
                // An empty input is a file without a line, not an archive without a file.
                guard members == 0 else { return nil }
                guard format == ARCHIVE_FORMAT_EMPTY || format == 0 else { throw InputError("\(name): the archive holds no file") }
                members = 1
                isEmpty = true
                return ""
            }
            // A warning here is about a name or time that this system cannot represent.
            guard result == ARCHIVE_OK || result == ARCHIVE_WARN, let entry else { throw failure() }
            positionAfterMember = Int(archive_filter_bytes(archive, 0))
            let path = archive_entry_pathname(entry).map { String(cString: $0) } ?? "member \(members + 1)"
            if format != ARCHIVE_FORMAT_RAW {
                let type = archive_entry_filetype(entry)
                if type == UInt32(S_IFDIR) { continue }
                // A link has no data of its own: passed over, it would be records lost in silence.
                guard type == UInt32(S_IFREG), archive_entry_hardlink(entry) == nil else {
                    throw InputError("\(name): \(path): a link or device inside an archive, which is not read; pack the files themselves")
                }
            }
            members += 1
            member = format == ARCHIVE_FORMAT_RAW ? "" : path
            ahead = []
            guard try isAppleDouble() else { return member }
            // To its end: where a member ends is how a cut tar is known.
            try withUnsafeTemporaryAllocation(byteCount: 1 << 12, alignment: 16) { space in while try decode(space) > 0 {} }
            ahead = []
            members -= 1
            passedOver.append("\(name): \(member)")
        }
    }

    /// Whether the current file is one that macOS packs beside each file, `._NAME`, with what its file system knows of that: no data.
    private func isAppleDouble() throws -> Bool {
        guard member.split(separator: "/").last?.hasPrefix("._") == true else { return false }
        let magic: [UInt8] = [0x00, 0x05, 0x16, 0x07]
        ahead = try [UInt8](unsafeUninitializedCapacity: magic.count) { space, filled in
            while filled < magic.count, case let count = try decode(UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(space)[filled...])), count > 0 { filled += count }
        }[...]
        return ahead.elementsEqual(magic)
    }

    /// Reads from the current file; 0 at its end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard !ahead.isEmpty, !buffer.isEmpty else { return try decode(buffer) }
        let count = min(ahead.count, buffer.count)
        ahead.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        ahead.removeFirst(count)
        return count
    }

    private func decode(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if isEmpty { return 0 }
        while true {
            let count = archive_read_data(archive, buffer.baseAddress, buffer.count)
            if count == Int(ARCHIVE_RETRY) { continue }
            // A warning while reading data is a wrong checksum (zip).
            guard count >= 0 else { throw failure() }
            if count == 0 { positionAfterMember = Int(archive_filter_bytes(archive, 0)) }
            return count
        }
    }

    private var format: Int32 { archive_format(archive) & ARCHIVE_FORMAT_BASE_MASK }

    private func checkEnd() throws {
        let consumed = Int(archive_filter_bytes(archive, -1))
        switch format {
        case ARCHIVE_FORMAT_RAW, ARCHIVE_FORMAT_EMPTY:
            let total = try feed.drain()
            if total > consumed, consumed >= 0 {
                throw InputError("\(name): \(total - consumed) bytes follow the end of the compressed data at byte \(consumed)")
            }
        case ARCHIVE_FORMAT_TAR:
            // A member is padded by less than 512 bytes; more was read only if the block of zeros that ends a tar was there.
            if Int(archive_filter_bytes(archive, 0)) - positionAfterMember < 512 {
                throw InputError("\(name): the tar archive has no end after byte \(consumed): the file is cut; copy or fetch it again")
            }
            _ = try feed.drain()
        case ARCHIVE_FORMAT_ZIP:
            guard archive_filter_count(archive) == 1 else { throw InputError("\(name): a zip archive inside another compression is not read; unpack it first") }
            let total = try feed.drain()
            if !feed.endsWithZipDirectory {
                throw InputError("\(name): the zip archive has no directory at its end, byte \(total): the file is cut; copy or fetch it again")
            }
        default: break
        }
    }

    private func failure() -> InputError {
        if let error = feed.error { return error }
        let place = member.isEmpty ? name : "\(name): \(member)"
        let reason = archive_error_string(archive).map { String(cString: $0) } ?? "truncated"
        let consumed = max(Int(archive_filter_bytes(archive, -1)), 0)
        // How much was decoded is not told: libarchive keeps back what it had of the block that it stopped in.
        return InputError("\(place): cut or damaged\(consumed > 0 ? " near byte \(consumed) of the \(isUnpacked ? "unpacked file" : "file")" : ""): \(reason); copy or fetch it again")
    }
}

/// Hands a source to libarchive block by block, keeps what the source threw, and remembers the end of the file.
private final class ArchiveFeed {
    private let source: any ByteSource
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
    private var total = 0
    private var tail: [UInt8] = []
    private(set) var error: InputError?

    init(_ source: any ByteSource) { self.source = source }

    deinit { buffer.deallocate() }

    func read(_ start: UnsafeMutablePointer<UnsafeRawPointer?>) -> Int {
        do {
            let count = try source.read(into: buffer)
            total += count
            // A zip's directory ends with a record of 22 bytes and a comment of at most 65,535.
            tail.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            if tail.count > 1 << 18 { tail.removeFirst(tail.count - 65_557) }
            start.pointee = UnsafeRawPointer(buffer.baseAddress)
            return count
        } catch {
            self.error = error as? InputError ?? InputError("\(source.name): \(error)", status: .ioError)
            return -1
        }
    }

    /// Reads what is left and returns the size of the whole.
    func drain() throws -> Int {
        var start: UnsafeRawPointer?
        while true {
            let count = read(&start)
            if let error { throw error }
            if count <= 0 { return total }
        }
    }

    var endsWithZipDirectory: Bool {
        guard tail.count >= 22 else { return false }
        for at in stride(from: tail.count - 22, through: max(0, tail.count - 65_557), by: -1) where tail[at] == 0x50 {
            guard tail[at + 1] == 0x4B, tail[at + 2] == 0x05, tail[at + 3] == 0x06 else { continue }
            if Int(tail[at + 20]) | Int(tail[at + 21]) << 8 == tail.count - at - 22 { return true }
        }
        return false
    }
}
