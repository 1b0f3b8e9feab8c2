import InputFiles
import RecordStream

/// Finds what stands more than once among any number of records, in bounded memory: as many hashes as fit are held and compared at once; when there are more, they go to
/// temporary files, and those that repeat one of an earlier batch are found at the end.
struct RepeatFinder {
    /// Where a hash stands.
    struct Sighting: Equatable {
        var input: Int
        /// Of the line or element.
        var number: Int
        var offset: Int
        var output: Int
    }

    private var known: Set<UInt64> = []
    /// Of those in `known`, the first.
    private var sightings: [(hash: UInt64, at: Sighting)] = []
    private var earlier: ExternalSort?
    private let most: Int

    /// - Parameter most: how many hashes are held at once; each takes about 50 bytes.
    init(holding most: Int = 1 << 16) { self.most = most }

    /// Whether the hash stands among those that are held; if not, `finish` may still find that it stood before.
    mutating func isRepeated(_ hash: UInt64, at sighting: Sighting) throws -> Bool {
        if known.capacity < most {
            // All at once: a table that grows holds two of its sizes for a while.
            known.reserveCapacity(most)
            sightings.reserveCapacity(most)
        }
        if known.count == most { try putAside() }
        guard known.insert(hash).inserted else { return true }
        sightings.append((hash, sighting))
        return false
    }

    /// Hands out all that repeat one of an earlier batch.
    mutating func finish(_ body: (Sighting) throws -> Void) throws {
        guard earlier != nil else { return }
        try putAside()
        var last: [UInt8] = []
        try earlier?.finish { entry in
            if entry.key == last { try body(Sighting(bytes: entry.value)) } else { last = entry.key }
        }
        earlier = nil
    }

    private mutating func putAside() throws {
        if earlier == nil { earlier = ExternalSort(memory: 1 << 19) }
        for (hash, sighting) in sightings { try earlier?.add(key: hash.bytes, value: sighting.bytes) }
        known.removeAll(keepingCapacity: true)
        sightings.removeAll(keepingCapacity: true)
    }
}

extension RepeatFinder.Sighting {
    init(_ place: RecordPlace, output: Int) { self.init(input: place.input, number: place.number, offset: place.offset, output: output) }

    /// In the order of the inputs, where bytes are compared.
    fileprivate var bytes: [UInt8] { UInt64(input).bytes + UInt64(number).bytes + UInt64(offset).bytes + UInt64(output).bytes }

    fileprivate init(bytes: [UInt8]) {
        func number(_ at: Int) -> Int { bytes[8 * at ..< 8 * at + 8].reduce(0) { $0 << 8 | Int($1) } }
        self.init(input: number(0), number: number(1), offset: number(2), output: number(3))
    }
}

extension UInt64 {
    fileprivate var bytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}
