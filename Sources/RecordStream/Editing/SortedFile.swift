import Checksums
import Glibc
import SystemIO

/// Sorted entries on disk, in a file of $TMPDIR (or /tmp) that has no name any more: it is gone with the process, however that ends.
///
/// An entry is the number of its key's bytes, of its value's and their CRC-32C (4 bytes each), then the bytes: a disk that changes a bit is noticed.
final class SortedFile {
    private static let headerBytes = 12
    private let descriptor: Int32
    private let name: String
    private let sink: BufferedSink

    init() throws {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        name = "a temporary file in \(folder)"
        var template = Array((folder + "/uf-sort-XXXXXX").utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw InputError.cannotCreate(name) }
        unlink(&template)
        sink = BufferedSink(FileSink(descriptor: descriptor, name: name), capacity: 1 << 18)
    }

    deinit { close(descriptor) }

    /// - Parameter bytes: of the key, then of the value.
    func write(_ bytes: UnsafeRawBufferPointer, keyBytes: Int) throws {
        var header: [UInt8] = []
        header.append(littleEndian: UInt32(keyBytes))
        header.append(littleEndian: UInt32(bytes.count - keyBytes))
        header.append(littleEndian: crc32c(bytes, continuing: crc32c(header)))
        try sink.write(header)
        try sink.write(bytes)
    }

    /// After the last entry. Nothing is synced: nobody else ever reads the file.
    func seal() throws {
        try sink.flush()
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw InputError.cannotRead(name, at: 0) }
    }

    /// Hands out the entries of a sealed file, once.
    final class Reader {
        private let file: SortedFile
        private let source: FileSource
        private var buffer: [UInt8] = []
        private var at = 0
        private let size: Int

        init(_ file: SortedFile, buffer size: Int) {
            self.file = file
            self.size = size
            source = FileSource(descriptor: file.descriptor, name: file.name)
        }

        func next() throws -> ExternalSort.Entry? {
            guard try fill(SortedFile.headerBytes) else { return nil }
            let (keyBytes, valueBytes, checksum) = (word(0), word(4), UInt32(word(8)))
            let covered = crc32c(Array(buffer[at ..< at + 8]))
            at += SortedFile.headerBytes
            guard try fill(keyBytes + valueBytes), crc32c(Array(buffer[at ..< at + keyBytes + valueBytes]), continuing: covered) == checksum else {
                throw InputError("\(file.name) does not hold what was written to it: is the disk damaged?", status: .ioError)
            }
            defer { at += keyBytes + valueBytes }
            return ExternalSort.Entry(key: Array(buffer[at ..< at + keyBytes]), value: Array(buffer[at + keyBytes ..< at + keyBytes + valueBytes]))
        }

        private func word(_ offset: Int) -> Int {
            buffer.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: at + offset, as: UInt32.self).littleEndian) }
        }

        /// Whether `count` bytes are there from `at` on.
        private func fill(_ count: Int) throws -> Bool {
            guard buffer.count - at < count else { return true }
            let rest = buffer[at...], wanted = max(size, count)
            buffer = try [UInt8](unsafeUninitializedCapacity: wanted) { space, filled in
                _ = space.initialize(fromContentsOf: rest)
                filled = rest.count
                filled += try source.readFully(into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(space)[filled...]))
            }
            at = 0
            return buffer.count >= count
        }
    }
}
