import Checksums
import SystemIO

/// Records in another order. `write` receives the bytes of each (`Block.append(record:to:)`); a reader whose stream is damaged throws before the last is handed out.
public enum Rearranging {
    /// Several sorted streams as one. Of records with equal keys those of the first stream come first. Throws for a stream that is not sorted.
    public static func merge(_ readers: [AnyRecordReader], by order: SortOrder, write: ([UInt8]) throws -> Void) throws {
        guard let schema = readers.first?.stream.head.schema else { return }
        let key = try order.key(in: schema)
        typealias Keyed = (key: [UInt8], record: BlockRecord)
        var last: [Keyed?] = readers.map { _ in nil }
        try mergeSorted(
            readers.count,
            next: { (reader: Int) -> Keyed? in
                guard let record = try readers[reader].next() else { return nil }
                let current: Keyed = (key: key(record), record: record)
                if let before = last[reader], current.key.lexicographicallyPrecedes(before.key) {
                    throw InputError(
                        "\(readers[reader].stream.name): record \(record.number): \(try order.words(record)) comes after \(try order.words(before.record)): not sorted by \(order.rawValue) (uf-records sort --by \(order.rawValue) sorts it)")
                }
                last[reader] = current
                return current
            },
            precedes: { (a: Keyed, b: Keyed) in a.key.lexicographicallyPrecedes(b.key) }) { (entry: Keyed, _: Int) in try write(entry.record.bytes()) }
    }

    /// All records sorted; those with equal keys keep their order.
    /// - Parameter memory: bytes of records held at once; more go to temporary files.
    public static func sort(_ readers: [AnyRecordReader], by order: SortOrder, memory: Int, write: ([UInt8]) throws -> Void) throws {
        guard let schema = readers.first?.stream.head.schema else { return }
        let key = try order.key(in: schema)
        var sort = ExternalSort(memory: memory), position: UInt64 = 0
        for reader in readers {
            while let record = try reader.next() {
                try sort.add(key: key(record), value: bigEndian(position) + record.bytes())
                position += 1
            }
        }
        try sort.finish { try write(Array($0.value[8...])) }
    }

    /// All records in an order that the seed and the set of records alone decide: by SHA-256 over the seed (8 bytes, little-endian) and the record's bytes. In what order they
    /// came, or in how many streams, does not matter.
    public static func shuffle(_ readers: [AnyRecordReader], seed: UInt64, memory: Int, write: ([UInt8]) throws -> Void) throws {
        var start = SHA256()
        start.update(withUnsafeBytes(of: seed.littleEndian) { Array($0) })
        var sort = ExternalSort(memory: memory)
        for reader in readers {
            while let record = try reader.next() {
                let bytes = try record.bytes()
                var sha = start
                sha.update(bytes)
                try sort.add(key: Array(sha.digest()[..<16]), value: bytes)
            }
        }
        try sort.finish { try write($0.value) }
    }
}

/// Which part of a stream a record goes to.
public enum Division: Sendable, Equatable {
    /// Record k to part k mod n: parts of equal size, of a stream whose length nobody knows yet.
    case parts(Int)
    /// So many records to each part, in their order.
    case records(Int)

    /// Parts are open together, and each takes a descriptor and a block in memory.
    public static let mostParts = 256

    public func part(of record: Int) -> Int {
        switch self {
        case .parts(let count): record % count
        case .records(let count): record / count
        }
    }
}
