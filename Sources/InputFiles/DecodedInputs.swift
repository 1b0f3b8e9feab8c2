import Glibc
import SystemIO

/// What is known of an input once it was read to its end: enough to recognise it again, and no name.
public struct InputDigest: Sendable, Equatable {
    /// SHA-256 of the decoded bytes, as 64 hexadecimal digits.
    public var sha256: String
    /// How many decoded bytes.
    public var length: Int
}

/// The decoded inputs of a command, one after the other: every operand, decompressed; an archive counts as so many inputs as it holds files.
/// Operands are opened one at a time, `-` is standard input.
public final class DecodedInputs {
    private var operands: [String]
    private let open: (String) throws -> any ByteSource
    private var reader: (any MemberReader)?
    private var operandName = ""
    private var digest: BackgroundDigest?
    /// Bytes of the current input that were looked at and not yet read.
    private var ahead: ArraySlice<UInt8> = []

    /// Number of the current input, from 1.
    public private(set) var number = 0
    /// Name of the current input for messages: `raw.tar: evol.jsonl` for a file in an archive.
    public private(set) var name = ""
    /// The name inside the archive; empty for an input that is a file of its own.
    public private(set) var member = ""
    /// The inputs read so far, in order.
    public private(set) var digests: [InputDigest] = []
    /// Their names for messages, and that of the current input.
    public private(set) var names: [String] = []
    /// Files inside archives that are no inputs: what macOS packs beside each file (AppleDouble).
    public var passedOver: [String] { passedOverBefore + (reader?.passedOver ?? []) }
    private var passedOverBefore: [String] = []
    /// `passed over 2 files that macOS packs beside others (AppleDouble)`: what is to be told of them; nil where there are none.
    public var passedOverLine: String? {
        passedOver.isEmpty ? nil : "passed over \(counted(passedOver.count, "file")) that macOS packs beside others (AppleDouble)"
    }
    /// Encoded bytes read so far over all operands, for a progress bar.
    public private(set) var encodedBytes = 0
    /// The size of all operands that are regular files, where all are; for a progress bar.
    public let encodedTotal: Int?

    /// - Parameter operands: paths; none means standard input.
    public convenience init(_ operands: [String]) {
        self.init(operands.isEmpty ? ["-"] : operands) { try FileSource(operand: $0) }
    }

    init(_ operands: [String], open: @escaping (String) throws -> any ByteSource) {
        self.operands = operands.reversed()
        self.open = open
        var total: Int? = 0
        for operand in operands {
            var status = stat()
            let isFile = operand != "-" && stat(operand, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            total = isFile ? total.map { $0 + Int(status.st_size) } : nil
        }
        encodedTotal = total
    }

    /// Checks that every operand that is a path can be opened, so that a missing file is told before hours of work and not after.
    public static func check(_ operands: [String]) throws {
        for operand in operands where operand != "-" && access(operand, R_OK) != 0 { throw InputError.cannotOpen(operand) }
    }

    /// Why an input that begins so is not read, and what to do; nil where nothing speaks against it.
    static func refusal(_ name: String, beginning head: some Collection<UInt8>) -> InputError? {
        if head.starts(with: "PAR1".utf8) {
            return InputError("\(name): a Parquet file, which is not read here; pipe its rows in as JSON Lines: "
                + "duckdb -c \"COPY (FROM 'FILE') TO '/dev/stdout' (FORMAT json)\" | ..., or pipelines/python/parquet_to_jsonl.py FILE | ...")
        }
        if head.starts(with: [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]) { return InputError("\(name): a 7-Zip archive, which is not read here; unpack it first") }
        if head.starts(with: [0xF5, 0x55, 0x46, 0x52, 0x0D, 0x0A, 0x1A, 0x0A]) {
            return InputError("\(name): a record stream, no raw data; uf-tokenize and uf-records take it as it is, and uf-records view shows its records as JSON")
        }
        let marks: [(encoding: String, mark: [UInt8])] = [
            ("UTF-32", [0xFF, 0xFE, 0, 0]), ("UTF-32", [0, 0, 0xFE, 0xFF]), ("UTF-16", [0xFF, 0xFE]), ("UTF-16", [0xFE, 0xFF]),
        ]
        return marks.first { head.starts(with: $0.mark) }.map { encoding, _ in
            InputError("\(name): text in \(encoding), by its byte order mark, which is not read here; make it UTF-8: iconv -f \(encoding) -t UTF-8 FILE | ...")
        }
    }

    /// Steps to the next input; false after the last. The current one must have been read to its end.
    public func next() throws -> Bool {
        while true {
            if reader == nil {
                guard let operand = operands.popLast() else { return false }
                let source = CountingSource(try open(operand)) { [unowned self] in encodedBytes += $0 }
                operandName = source.name
                let peeked = try PeekedSource(source, count: 512)
                if let refusal = DecodedInputs.refusal(operandName, beginning: peeked.head) { throw refusal }
                let isGzip = peeked.head.starts(with: [0x1F, 0x8B])
                reader = PlainReader.isPlain(peeked.head) ? PlainReader(peeked) : try ArchiveReader(isGzip ? GzipSource(peeked) : peeked, head: peeked.head)
            }
            if let member = try reader?.nextMember() {
                number += 1
                self.member = member
                ahead = []
                name = member.isEmpty ? operandName : "\(operandName): \(member)"
                names.append(name)
                digest = BackgroundDigest()
                return true
            }
            passedOverBefore = passedOver
            reader = nil
        }
    }

    /// The next bytes of the current input, which stay to be read: fewer than `count` only at its end.
    public func peek(_ count: Int) throws -> ArraySlice<UInt8> {
        if ahead.count < count { ahead = try fetch(count, behind: ahead)[...] }
        return ahead.prefix(count)
    }

    /// Reads from the current input: `head`, whatever it is, and behind it the next bytes, to `count` in all; fewer only at the end of the input.
    public func read(_ count: Int, behind head: ArraySlice<UInt8> = []) throws -> [UInt8] {
        let known = head + ahead.prefix(max(0, count - head.count))
        ahead.removeFirst(known.count - head.count)
        return try fetch(count, behind: known)
    }

    /// Passes over the rest of the current input.
    public func skip() throws {
        ahead = []
        while try !fetch(1 << 20, behind: []).isEmpty {}
    }

    /// The digest takes the new bytes where they are: a copy of all that is read would cost as much as a tenth of the parsing.
    private func fetch(_ count: Int, behind head: ArraySlice<UInt8>) throws -> [UInt8] {
        guard let digest, let reader, head.count < count else { return Array(head) }
        var atEnd = false
        let bytes = try [UInt8](unsafeUninitializedCapacity: count) { space, filled in
            filled = space[...].initialize(fromContentsOf: head)
            while filled < count {
                let read = try reader.read(into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(space)[filled...]))
                if read == 0 {
                    atEnd = true
                    break
                }
                filled += read
            }
        }
        digest.update(bytes[head.count...])
        if atEnd {
            digests.append(InputDigest(sha256: digest.finish(), length: digest.count))
            self.digest = nil
        }
        return bytes
    }
}

/// The files inside an operand, one after the other.
protocol MemberReader {
    /// Steps to the next file and returns its name inside the archive, "" for an input that is no archive; nil after the last.
    func nextMember() throws -> String?
    /// Reads from the current file; 0 at its end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
    /// Files that were stepped over, with the archive's name.
    var passedOver: [String] { get }
}

/// Text as it stands, without a way through libarchive and its copies.
private final class PlainReader: MemberReader {
    private let source: any ByteSource
    private var isStarted = false
    let passedOver: [String] = []

    init(_ source: any ByteSource) { self.source = source }

    /// Every compression that is read, and zip, begins with bytes that no text begins with; the header of a tar, 512 bytes, is never without a zero.
    static func isPlain(_ head: [UInt8]) -> Bool {
        guard !head.isEmpty, !head.contains(0) else { return false }
        let magics: [[UInt8]] = [[0x1F, 0x8B], [0x42, 0x5A, 0x68], [0xFD, 0x37, 0x7A], [0x28, 0xB5, 0x2F, 0xFD], [0x50, 0x4B]]
        return !magics.contains(where: head.starts)
    }

    func nextMember() -> String? {
        defer { isStarted = true }
        return isStarted ? nil : ""
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int { try source.read(into: buffer) }
}

private final class CountingSource: ByteSource {
    private let source: any ByteSource
    private let count: (Int) -> Void

    init(_ source: any ByteSource, count: @escaping (Int) -> Void) {
        self.source = source
        self.count = count
    }

    var name: String { source.name }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let bytes = try source.read(into: buffer)
        count(bytes)
        return bytes
    }
}
