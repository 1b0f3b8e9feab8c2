import CArchive

/// Writes archives and compressed files with libarchive, for the readers to read.
public enum ArchiveMaker {
    public enum Format: CaseIterable, Sendable { case raw, tar, zip, sevenZip }
    public enum Filter: String, CaseIterable, Sendable { case none, gzip, bzip2, xz, zstd }

    public static func make(_ format: Format, _ filter: Filter = .none, _ members: [(String, [UInt8])]) -> [UInt8] {
        let archive = archive_write_new()
        defer { archive_write_free(archive) }
        switch filter {
        case .none: break
        case .gzip: archive_write_add_filter_gzip(archive)
        case .bzip2: archive_write_add_filter_bzip2(archive)
        case .xz: archive_write_add_filter_xz(archive)
        case .zstd: archive_write_add_filter_zstd(archive)
        }
        switch format {
        case .raw: archive_write_set_format_raw(archive)
        case .tar: archive_write_set_format_ustar(archive)
        case .zip: archive_write_set_format_zip(archive)
        case .sevenZip: archive_write_set_format_7zip(archive)
        }
        var size = 0
        let space = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 22, alignment: 16)
        defer { space.deallocate() }
        archive_write_set_bytes_in_last_block(archive, 1)
        archive_write_open_memory(archive, space.baseAddress, space.count, &size)
        for (name, bytes) in members {
            let entry = archive_entry_new()
            archive_entry_set_pathname(entry, name)
            archive_entry_set_filetype(entry, name.hasSuffix("/") ? UInt32(S_IFDIR) : UInt32(S_IFREG))
            archive_entry_set_perm(entry, 0o644)
            archive_entry_set_size(entry, Int64(bytes.count))
            archive_write_header(archive, entry)
            _ = bytes.withUnsafeBytes { archive_write_data(archive, $0.baseAddress, $0.count) }
            archive_entry_free(entry)
        }
        archive_write_close(archive)
        return Array(space[..<size])
    }
}
