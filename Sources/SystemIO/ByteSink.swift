import Glibc

/// Where bytes go.
public protocol ByteSink: AnyObject {
    var name: String { get }
    /// Writes all of `bytes` or throws.
    func write(_ bytes: UnsafeRawBufferPointer) throws
    /// Makes what was written final: after it returns, nothing of it can be lost by this program.
    func finish() throws
}

extension ByteSink {
    public func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try write($0) }
    }

    public func write(_ text: String) throws {
        var text = text
        try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
    }
}

/// Writes to a file descriptor until every byte is taken or the system says why not (Swift's `print` stays silent on a full disk).
public final class FileSink: ByteSink {
    public let name: String
    let descriptor: Int32
    private let closes: Bool
    private(set) var offset = 0

    public init(descriptor: Int32, name: String, closes: Bool = false) {
        self.descriptor = descriptor
        self.name = name
        self.closes = closes
    }

    public static func standardOutput() -> FileSink {
        FileSink(descriptor: STDOUT_FILENO, name: "standard output")
    }

    deinit {
        if closes { close(descriptor) }
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw InputError.cannotWrite(name, at: offset)
            }
            offset += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Nothing is buffered here; the descriptor may still report a delayed error on a network file system.
    public func finish() throws {
        if fsync(descriptor) != 0, errno != EINVAL, errno != EROFS, errno != ENOTSUP {
            throw InputError.cannotWrite(name, at: offset)
        }
    }
}

/// Collects bytes in memory.
public final class MemorySink: ByteSink {
    public let name = "memory"
    public private(set) var bytes: [UInt8] = []
    public private(set) var finished = false

    public init() {}

    public func write(_ more: UnsafeRawBufferPointer) throws { bytes.append(contentsOf: more) }
    public func finish() throws { finished = true }
}

/// Gathers small writes (lines of text) into large ones.
public final class BufferedSink: ByteSink {
    private let sink: any ByteSink
    private var buffer: [UInt8] = []
    private let capacity: Int

    public init(_ sink: any ByteSink, capacity: Int = 1 << 16) {
        self.sink = sink
        self.capacity = capacity
        buffer.reserveCapacity(capacity)
    }

    public var name: String { sink.name }

    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        if buffer.count + bytes.count > capacity { try flush() }
        if bytes.count >= capacity {
            try sink.write(bytes)
        } else {
            buffer.append(contentsOf: bytes)
        }
    }

    public func flush() throws {
        if !buffer.isEmpty {
            try buffer.withUnsafeBytes { try sink.write($0) }
            buffer.removeAll(keepingCapacity: true)
        }
    }

    public func finish() throws {
        try flush()
        try sink.finish()
    }
}
