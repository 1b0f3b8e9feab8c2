import Checksums
import SystemIO

/// Sorted entries on disk, in a file without a name.
///
/// An entry is the number of its key's bytes, of its value's and their CRC-32C (4 bytes each), then the bytes: a disk that changes a bit is noticed.
final class SortedFile {
    private static let headerBytes = 12
    private let file: UnnamedFile
    /// Until the file is sealed: there may be many files, and it has a buffer.
    private var sink: BufferedSink?

    init() throws {
        file = try UnnamedFile()
        sink = BufferedSink(file.sink, capacity: 1 << 18)
    }

    /// - Parameter bytes: of the key, then of the value.
    func write(_ bytes: UnsafeRawBufferPointer, keyBytes: Int) throws {
        var header: [UInt8] = []
        header.append(littleEndian: UInt32(keyBytes))
        header.append(littleEndian: UInt32(bytes.count - keyBytes))
        header.append(littleEndian: crc32c(bytes, continuing: crc32c(header)))
        try sink?.write(header)
        try sink?.write(bytes)
    }

    /// After the last entry.
    func seal() throws {
        try sink?.flush()
        sink = nil
    }

    /// Hands out the entries of a sealed file, once.
    final class Reader {
        private let file: SortedFile
        private let source: FileSource
        private var buffer: [UInt8] = []
        private var at = 0
        private let size: Int

        init(_ file: SortedFile, buffer size: Int) throws {
            self.file = file
            self.size = size
            source = try file.file.rewind()
        }

        func next() throws -> ExternalSort.Entry? {
            guard try fill(SortedFile.headerBytes) else { return nil }
            let (keyBytes, valueBytes, checksum) = (word(0), word(4), UInt32(word(8)))
            let covered = crc32c(Array(buffer[at ..< at + 8]))
            at += SortedFile.headerBytes
            guard try fill(keyBytes + valueBytes), crc32c(Array(buffer[at ..< at + keyBytes + valueBytes]), continuing: covered) == checksum else {
                throw InputError("\(source.name) does not hold what was written to it: is the disk damaged?", status: .ioError)
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
