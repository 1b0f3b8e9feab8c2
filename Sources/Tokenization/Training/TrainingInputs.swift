import RecordStream
import SystemIO

/// The texts of files one after the other: JSON strings, one a line, or the lines of plain text; of a rated stream, which its first bytes tell, the texts of its records.
public final class TrainingInputs {
    private enum Reader {
        case lines(LineReader)
        case records(RecordReader<RatedRecord>)
    }

    private let sources: [any ByteSource]
    private let readsPlainText: Bool
    private var opened = 0
    private var reader: Reader?
    private var source: PeekedSource?
    private var bytesOfClosed = 0

    /// - Parameter readsPlainText: a line is a text, with its line feed, and not a JSON string.
    public init(_ sources: [any ByteSource], readsPlainText: Bool = false) {
        self.sources = sources
        self.readsPlainText = readsPlainText
    }

    public var bytesRead: Int { bytesOfClosed + (source?.bytesRead ?? 0) }

    /// Some texts; nil after the last.
    public func next() throws -> TextBatch? {
        while true {
            switch try reader ?? openNext() {
            case nil: return nil
            case .lines(let lines):
                if let batch = try lines.nextBatch() { return readsPlainText ? .texts(batch.lines) : .strings(batch, name: lines.name) }
            case .records(let records):
                if let texts = try texts(of: records) { return .texts(texts) }
            }
            reader = nil
        }
    }

    private func openNext() throws -> Reader? {
        guard opened < sources.count else { return nil }
        bytesOfClosed = bytesRead
        let source = try PeekedSource(sources[opened])
        self.source = source
        opened += 1
        if source.head.starts(with: [0x1F, 0x8B]) { throw InputError("\(source.name): compressed by gzip; unpack it first (gzip -dc FILE | uf-tokenize train ...)") }
        reader = source.head.elementsEqual(RecordStreamReader.firstBytes) ? .records(try RecordReader(source)) : .lines(LineReader(source, keepsEnds: readsPlainText))
        return reader
    }

    /// The texts of enough records to be worth a thread's while.
    private func texts(of records: RecordReader<RatedRecord>) throws -> [[UInt8]]? {
        var texts: [[UInt8]] = [], size = 0
        while size < 1 << 17, let record = try records.next() {
            for text in record.texts {
                texts.append(text.bytes)
                size += text.count
            }
        }
        return texts.isEmpty ? nil : texts
    }
}

/// A source whose first bytes are known before it is read.
private final class PeekedSource: ByteSource {
    let head: [UInt8]
    private(set) var bytesRead = 0
    private let source: any ByteSource

    init(_ source: any ByteSource) throws {
        self.source = source
        head = try [UInt8](unsafeUninitializedCapacity: RecordStreamReader.firstBytes.count) { buffer, count in
            count = try source.readFully(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    var name: String { source.name }
    var isReady: Bool { bytesRead < head.count || source.isReady }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var count = min(buffer.count, head.count - bytesRead)
        if count > 0 {
            head.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[bytesRead ..< bytesRead + count])) }
        } else {
            count = try source.read(into: buffer)
        }
        bytesRead += count
        return count
    }
}
