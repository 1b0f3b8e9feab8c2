import TestSupport
import Testing

@testable import RecordStream

/// Sorting through files gives what sorting in memory gives, whatever the memory, and in whatever order the entries come.
@Suite struct ExternalSortTests {
    private func sorted(_ entries: [([UInt8], [UInt8])], memory: Int) throws -> (entries: [[[UInt8]]], files: Int) {
        var sort = ExternalSort(memory: memory), result: [[[UInt8]]] = []
        for (key, value) in entries { try sort.add(key: key, value: value) }
        try sort.finish { result.append([$0.key, $0.value]) }
        return (result, sort.filesWritten)
    }

    @Test func everyMemoryGivesTheSameOrder() throws {
        var generator = SeededGenerator(seed: 7)
        func bytes(_ most: Int) -> [UInt8] { (0 ..< Int.random(in: 0 ... most, using: &generator)).map { _ in UInt8.random(in: 0 ... 3, using: &generator) } }
        // Short keys over few values: many are equal, many are prefixes of others. Some values are larger than the memory.
        var entries = (0 ..< 5000).map { _ in (bytes(6), bytes(9)) }
        entries.append(([1, 2], [UInt8](repeating: 9, count: 5000)))
        let expected = entries.map { [$0.0, $0.1] }.sorted { a, b in a[0] == b[0] ? a[1].lexicographicallyPrecedes(b[1]) : a[0].lexicographicallyPrecedes(b[0]) }
        // In memory; in a few files; in 5,001 files, which are merged in levels of 64.
        for (memory, files) in [(1 << 20, 0 ... 0), (40_000, 2 ... 10), (1, 5001 ... 5200)] {
            let forward = try sorted(entries, memory: memory)
            #expect(forward.entries == expected && files.contains(forward.files), "memory \(memory): \(forward.files) files")
            #expect(try sorted(entries.shuffled(using: &generator), memory: memory).entries == expected)
        }
        #expect(try sorted([], memory: 1).entries.isEmpty)
    }

    @Test func mergeTakesEqualElementsFromTheFirst() throws {
        let lists = [[1, 3, 3, 9], [], [0, 3, 4], [3]]
        var next = lists.map { $0.makeIterator() }, taken: [[Int]] = []
        try mergeSorted(4, next: { next[$0].next() }, precedes: { $0 < $1 }) { taken.append([$0, $1]) }
        #expect(taken == [[0, 2], [1, 0], [3, 0], [3, 0], [3, 2], [3, 3], [4, 2], [9, 0]])
    }
}
