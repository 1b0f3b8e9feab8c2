import Glibc

/// Puts any number of entries in the order of their keys in bounded memory: what does not fit goes to temporary files, sorted, and they are merged at the end.
///
/// Keys are compared byte by byte, entries of one key by their values, so the order depends neither on the memory nor on the order in which entries came.
public struct ExternalSort {
    public struct Entry {
        public var key: [UInt8]
        public var value: [UInt8]
    }

    /// Files that are merged at once: each takes a descriptor and a buffer.
    private static let fanIn = 64
    /// What an entry takes beside its bytes: its place in the order.
    private static let entryOverhead = 24

    private let memory: Int
    private var arena: [UInt8] = []
    private var entries: [StoredEntry] = []
    /// Sorted files; those of level n were made by merging files of level n - 1.
    private var levels: [[SortedFile]] = [[]]
    /// Files written so far, for tests.
    private(set) var filesWritten = 0

    /// - Parameter memory: bytes of entries held at once; one entry is held whatever its size.
    public init(memory: Int) { self.memory = memory }

    public mutating func add(key: [UInt8], value: [UInt8]) throws {
        if !entries.isEmpty, arena.count + key.count + value.count + Self.entryOverhead * (entries.count + 1) > memory { try spill() }
        // Grown to no more than the limit: an array by itself would double beyond it.
        let needed = arena.count + key.count + value.count
        if needed > arena.capacity { arena.reserveCapacity(max(needed, min(memory, 2 * needed))) }
        entries.append(StoredEntry(start: arena.count, keyBytes: key.count, valueBytes: value.count))
        arena.append(contentsOf: key)
        arena.append(contentsOf: value)
    }

    /// Hands out all entries in order and leaves nothing behind.
    public mutating func finish(_ body: (Entry) throws -> Void) throws {
        guard levels.contains(where: { !$0.isEmpty }) else {
            sort()
            for entry in entries { try body(entry.copy(from: arena)) }
            (entries, arena) = ([], [])
            return
        }
        try spill()
        (entries, arena) = ([], [])
        // Whole levels into one, lowest first, until one merge has them all.
        var files: [SortedFile] = []
        for level in levels {
            files += level
            if files.count > Self.fanIn { files = [try merge(files)] }
        }
        levels = [[]]
        try Self.merge(files, buffer: buffer(files.count), body)
    }

    private func buffer(_ files: Int) -> Int { min(max(memory / max(files, 1), 1 << 16), 1 << 20) }

    private mutating func sort() {
        arena.withUnsafeBytes { arena in
            entries.sort { StoredEntry.precedes($0.bytes(arena), $0.keyBytes, $1.bytes(arena), $1.keyBytes) }
        }
    }

    private mutating func spill() throws {
        guard !entries.isEmpty else { return }
        sort()
        let file = try SortedFile()
        filesWritten += 1
        for entry in entries { try arena.withUnsafeBytes { try file.write(entry.bytes($0), keyBytes: entry.keyBytes) } }
        try file.seal()
        entries.removeAll(keepingCapacity: true)
        arena.removeAll(keepingCapacity: true)
        levels[0].append(file)
        var level = 0
        while levels[level].count == Self.fanIn {
            if level + 1 == levels.count { levels.append([]) }
            levels[level + 1].append(try merge(levels[level]))
            levels[level] = []
            level += 1
        }
    }

    private mutating func merge(_ files: [SortedFile]) throws -> SortedFile {
        let merged = try SortedFile()
        filesWritten += 1
        try Self.merge(files, buffer: buffer(files.count)) { entry in try (entry.key + entry.value).withUnsafeBytes { try merged.write($0, keyBytes: entry.key.count) } }
        try merged.seal()
        return merged
    }

    private static func merge(_ files: [SortedFile], buffer: Int, _ body: (Entry) throws -> Void) throws {
        let readers = try files.map { try SortedFile.Reader($0, buffer: buffer) }
        try mergeSorted(
            readers.count, next: { try readers[$0].next() },
            precedes: { a, b in a.key == b.key ? a.value.lexicographicallyPrecedes(b.value) : a.key.lexicographicallyPrecedes(b.key) }) { entry, _ in try body(entry) }
    }
}

/// An entry in the arena: the bytes of its key, then those of its value.
private struct StoredEntry {
    var start: Int
    var keyBytes: Int
    var valueBytes: Int

    func bytes(_ arena: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: arena[start ..< start + keyBytes + valueBytes]) }

    func copy(from arena: [UInt8]) -> ExternalSort.Entry {
        ExternalSort.Entry(key: Array(arena[start ..< start + keyBytes]), value: Array(arena[start + keyBytes ..< start + keyBytes + valueBytes]))
    }

    static func precedes(_ a: UnsafeRawBufferPointer, _ aKey: Int, _ b: UnsafeRawBufferPointer, _ bKey: Int) -> Bool {
        let keys = compare(a[..<aKey], b[..<bKey])
        return keys == 0 ? compare(a[aKey...], b[bKey...]) < 0 : keys < 0
    }

    private static func compare(_ a: Slice<UnsafeRawBufferPointer>, _ b: Slice<UnsafeRawBufferPointer>) -> Int {
        let common = min(a.count, b.count)
        let order = common == 0 ? 0 : Int(memcmp(UnsafeRawBufferPointer(rebasing: a).baseAddress!, UnsafeRawBufferPointer(rebasing: b).baseAddress!, common))
        return order == 0 ? a.count - b.count : order
    }
}

/// Takes the least of `count` sorted sequences again and again; of equal elements that of the first sequence.
/// - Parameter body: the element and the number of its sequence.
func mergeSorted<Element>(
    _ count: Int, next: (Int) throws -> Element?, precedes: (Element, Element) throws -> Bool, _ body: (Element, Int) throws -> Void
) throws {
    var heads: [Element?] = try (0 ..< count).map(next)
    // A binary heap of sequence numbers.
    var heap: [Int] = heads.indices.filter { heads[$0] != nil }
    func isBefore(_ a: Int, _ b: Int) throws -> Bool {
        guard let first = heads[a], let second = heads[b] else { return false }
        if try precedes(first, second) { return true }
        return try a < b && !precedes(second, first)
    }
    func sink(_ start: Int) throws {
        var at = start
        while case let left = 2 * at + 1, left < heap.count {
            let least = try left + 1 < heap.count && isBefore(heap[left + 1], heap[left]) ? left + 1 : left
            guard try isBefore(heap[least], heap[at]) else { return }
            heap.swapAt(at, least)
            at = least
        }
    }
    for at in (0 ..< heap.count / 2).reversed() { try sink(at) }
    while let top = heap.first {
        if let element = heads[top] { try body(element, top) }
        heads[top] = try next(top)
        if heads[top] == nil {
            heap.swapAt(0, heap.count - 1)
            heap.removeLast()
        }
        try sink(0)
    }
}
