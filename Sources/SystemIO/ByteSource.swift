import Glibc

/// Bytes that come one after the other: a file, a pipe, memory.
public protocol ByteSource: AnyObject {
    /// The name for messages.
    var name: String { get }
    /// Reads at least one byte into `buffer` (never empty) and returns how many; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
    /// Whether `read` would return at once.
    var isReady: Bool { get }
}

extension ByteSource {
    public var isReady: Bool { true }

    /// Fills `buffer` and returns how many bytes there were: fewer than asked only at the end.
    public func readFully(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            if count == 0 { break }
            filled += count
        }
        return filled
    }
}

/// Reads from a file descriptor, retrying when a signal interrupts.
public final class FileSource: ByteSource {
    public let name: String
    private let descriptor: Int32
    private let closes: Bool
    private var offset = 0
    /// The most that one `read` call asks for; tests set it low to show that no result depends on it.
    private let readSize: Int

    /// Opens `path`; throws `.missingInput` when that fails, also for a folder.
    public init(path: String, readSize: Int = 1 << 20) throws {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw InputError.cannotOpen(path) }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            close(descriptor)
            throw InputError.cannotOpen(path, EISDIR)
        }
        name = path
        closes = true
        self.readSize = readSize
    }

    /// Opens an operand of a command: a path, or `-` for standard input.
    public convenience init(operand: String) throws {
        if operand == "-" {
            self.init(descriptor: STDIN_FILENO, name: "standard input")
        } else {
            try self.init(path: operand)
        }
    }

    /// Reads from an open descriptor, which stays open.
    public init(descriptor: Int32, name: String, readSize: Int = 1 << 20) {
        self.descriptor = descriptor
        self.name = name
        self.readSize = readSize
        closes = false
    }

    deinit {
        if closes { close(descriptor) }
    }

    /// Of a regular file.
    fileprivate var size: Int? {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, min(buffer.count, readSize))
            if count >= 0 {
                offset += count
                return count
            }
            if errno != EINTR { throw InputError.cannotRead(name, at: offset) }
        }
    }

    public var isReady: Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, 0) != 0
    }
}

/// Reads from memory, `readSize` bytes at a time at the most.
public final class MemorySource: ByteSource {
    public let name: String
    private let bytes: [UInt8]
    private let readSize: Int
    private var position = 0

    public init(_ bytes: [UInt8], name: String = "memory", readSize: Int = .max) {
        self.bytes = bytes
        self.name = name
        self.readSize = readSize
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = min(buffer.count, bytes.count - position, readSize)
        bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[position ..< position + count])) }
        position += count
        return count
    }
}

/// A whole file in memory. Throws `.invalidData` when it is larger than `limit` bytes.
public func readWholeFile(_ path: String, limit: Int = 1 << 30) throws -> [UInt8] {
    let source = try FileSource(path: path)
    // Room for a byte more, whose absence ends the reading, and for what a parser of JSON wants to read behind the text.
    return try readAll(source, limit: limit, expected: source.size.map { min($0, limit) + 64 })
}

/// All that a source still has. Reading goes on beyond what is expected, but takes more time.
public func readAll(_ source: some ByteSource, limit: Int, expected: Int? = nil) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var size = expected ?? 1 << 16
    while true {
        let more = try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = try source.readFully(into: UnsafeMutableRawBufferPointer(buffer))
        }
        if bytes.isEmpty { bytes = more } else { bytes += more }
        guard bytes.count <= limit else {
            throw InputError("\(source.name): larger than \(limit) bytes, the most that is read here")
        }
        if more.count < size { return bytes }
        size = min(max(size * 2, 1 << 16), 1 << 24)
    }
}
