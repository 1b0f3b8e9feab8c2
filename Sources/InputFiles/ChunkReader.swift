import Glibc
import SystemIO

/// Cuts the decoded inputs into chunks of whole records: lines (JSON Lines), or the elements of one JSON array when the first character of an
/// input that is not white space is `[`. A UTF-8 byte order mark at the start of an input is skipped. Memory is bounded by the chunk size and the
/// longest record allowed; where chunks are cut may depend on the size of reads, what they hold in all does not.
public final class ChunkReader {
    public let inputs: DecodedInputs
    private let chunkSize: Int
    private let maximumRecord: Int
    private let readsArrays: Bool
    private let isOneInput: Bool
    /// Bytes read and not yet handed out, from `rest` on.
    private var buffer: [UInt8] = []
    private var isOpen = false
    private var atEnd = false
    private var place = RecordPlace(input: 0, name: "", unit: .line, number: 1, offset: 0)
    private var array: ArrayScanner?

    /// - Parameters:
    ///   - chunkSize: how many bytes make a chunk, as soon as they hold a whole record.
    ///   - maximumRecord: a longer line or element is an error.
    ///   - readsArrays: whether `[` at the start of an input makes it a JSON array; off, every input is lines.
    ///   - onlyCurrent: read the input that `inputs` stands at, and no other.
    public init(_ inputs: DecodedInputs, chunkSize: Int = 1 << 19, maximumRecord: Int = 64 << 20, readsArrays: Bool = true, onlyCurrent: Bool = false) {
        self.inputs = inputs
        self.chunkSize = chunkSize
        self.maximumRecord = maximumRecord
        self.readsArrays = readsArrays
        isOneInput = onlyCurrent
    }

    /// The next chunk, never one of two inputs; nil after the last.
    public func next() throws -> InputChunk? {
        while true {
            if !isOpen {
                guard try isOneInput ? place.input == 0 : inputs.next() else { return nil }
                try start()
            }
            if let chunk = array == nil ? try nextLines() : try nextElements() { return chunk }
            isOpen = false
        }
    }

    private func start() throws {
        isOpen = true
        atEnd = false
        array = nil
        buffer.removeAll(keepingCapacity: true)
        place = RecordPlace(input: inputs.number, name: inputs.name, unit: .line, number: 1, offset: 0)
        try fill(to: max(chunkSize, 3))
        if buffer.starts(with: [0xEF, 0xBB, 0xBF]) {
            buffer.removeFirst(3)
            place.offset = 3
        }
        let compressed: [[UInt8]] = [[0x1F, 0x8B, 0x08], [0x42, 0x5A, 0x68, 0x39, 0x31, 0x41], [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], [0x28, 0xB5, 0x2F, 0xFD], [0x50, 0x4B, 0x03, 0x04]]
        if compressed.contains(where: buffer.starts) {
            throw InputError("\(inputs.name): compressed once more inside the compression or archive that was taken off; unpack it first")
        }
        if let refusal = DecodedInputs.refusal(inputs.name, beginning: buffer) { throw refusal }
        guard readsArrays else { return }
        var firstCharacter = buffer.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        while firstCharacter == nil, !atEnd, buffer.count < maximumRecord {
            let looked = buffer.count
            try fill(to: looked + chunkSize)
            firstCharacter = buffer[looked...].first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        }
        if firstCharacter == UInt8(ascii: "[") {
            array = ArrayScanner()
            place.unit = .element
        }
    }

    /// Reads until `buffer` holds `count` bytes or the input ends.
    private func fill(to count: Int) throws {
        guard buffer.count < count, !atEnd else { return }
        buffer = try inputs.read(count, behind: buffer[...])
        atEnd = buffer.count < count
    }

    private func nextLines() throws -> InputChunk? {
        var wanted = chunkSize
        while true {
            try fill(to: wanted)
            if buffer.isEmpty { return nil }
            let end: Int
            if let feed = lastFeed() { end = feed + 1 } else if atEnd { end = buffer.count } else {
                guard buffer.count <= maximumRecord else { throw tooLong("line") }
                wanted = min(max(buffer.count * 2, chunkSize), maximumRecord + 1)
                continue
            }
            let chunk = InputChunk(bytes: take(end), first: place, elements: nil)
            place.offset += end
            place.number += countFeeds(chunk.bytes)
            return chunk
        }
    }

    private func nextElements() throws -> InputChunk? {
        guard var scanner = array else { return nil }
        var wanted = chunkSize
        while true {
            try fill(to: wanted)
            let fault = buffer.withUnsafeBufferPointer { scanner.scan($0) }
            if scanner.elements.isEmpty {
                // A fault behind whole elements is met again by the next call, after those elements were handed out.
                if let fault { throw error(fault, at: scanner.position) }
                if atEnd {
                    if !scanner.isClosed { throw error("the JSON array has no end, the input may be cut", at: buffer.count) }
                    array = scanner
                    return nil
                }
                if let start = scanner.elementStart, buffer.count - start > maximumRecord { throw tooLong("element") }
                if scanner.elementStart == nil {
                    // White space only, or what follows the array: nothing to keep.
                    place.offset += buffer.count
                    buffer.removeAll(keepingCapacity: true)
                    scanner.moveBack(scanner.position)
                    wanted = chunkSize
                } else {
                    wanted = min(buffer.count * 2, maximumRecord + chunkSize)
                }
                continue
            }
            let elements = scanner.elements
            let end = scanner.elementStart ?? scanner.position
            let chunk = InputChunk(bytes: take(end), first: place, elements: elements)
            place.number += elements.count
            place.offset += end
            scanner.moveBack(end)
            array = scanner
            return chunk
        }
    }

    /// Hands out the first `end` bytes and keeps the rest.
    private func take(_ end: Int) -> ArraySlice<UInt8> {
        defer { buffer = Array(buffer[end...]) }
        return buffer[..<end]
    }

    private func lastFeed() -> Int? {
        buffer.withUnsafeBytes { $0.lastIndex(of: 0x0A) }
    }

    private func countFeeds(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes, count = 0
            while let base = rest.baseAddress, let feed = memchr(base, 0x0A, rest.count) {
                count += 1
                rest = UnsafeRawBufferPointer(rebasing: rest[(UnsafeRawPointer(feed) - base + 1)...])
            }
            return count
        }
    }

    private func tooLong(_ unit: String) -> InputError {
        InputError("\(place): longer than \(maximumRecord) bytes, the most that one \(unit) may have; is this JSON Lines or an array of records?")
    }

    private func error(_ message: String, at position: Int) -> InputError {
        InputError("\(place), byte \(place.offset + position): \(message)")
    }
}
