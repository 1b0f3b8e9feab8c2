import PortableMath
import RecordStream
import SystemIO

/// Holds records and hands them out in an order that the seed, the epoch, their ids and (grouped) their lengths decide, whatever the order in which they came.
///
/// The one part of packing that needs the whole set in memory: the limit makes that a choice.
struct ShuffledRecords {
    private var records: [(key: UInt64, record: FittedRecord)] = []
    private let options: PackingOptions
    private let limit: Int
    private var bytes = 0

    /// Tells this use of a seed apart from all others ("pack").
    private static let randomStream: UInt32 = 0x7061_636B

    /// - Parameter limit: bytes of tokens and ratings that may be held.
    init(_ options: PackingOptions, limit: Int) {
        self.options = options
        self.limit = limit
    }

    mutating func add(_ record: FittedRecord) throws {
        bytes += record.storedBytes(in: .sharedPrefix)
        guard bytes <= limit else {
            throw InputError("--order \(options.order.rawValue) holds all records in memory, and after \(records.count) they exceed \(limit >> 20) MiB; allow more (--shuffle-memory), or leave the order to training, which shuffles bins")
        }
        var random = CounterRandom(seed: options.seed, stream: ShuffledRecords.randomStream, epoch: options.epoch, record: ShuffledRecords.number(of: record.record.id.bytes))
        records.append((random.next(), record))
    }

    /// Hands out all and empties the store. Equal keys go by id; records with one id keep the order in which they came.
    mutating func take(_ body: (FittedRecord) throws -> Void) rethrows {
        defer { records = [] }
        let order = records.indices.sorted {
            let (a, b) = (records[$0].key, records[$1].key)
            if a != b { return a < b }
            let (one, other) = (records[$0].record.record.id, records[$1].record.record.id)
            return one == other ? $0 < $1 : one < other
        }
        for index in options.order == .grouped ? grouped(order) : order { try body(records[index].record) }
    }

    /// So many groups are put together out of records that stand side by side in the order: the more, the more alike the lengths in a group.
    private static let groupsOfWindow = 64

    /// Within each window of the order the longest first, cut into groups, and these in the order of the random numbers of their first records. So a group's records are alike, and
    /// groups come long or short by chance.
    private func grouped(_ order: [Int]) -> [Int] {
        let window = options.group * ShuffledRecords.groupsOfWindow
        return stride(from: 0, to: order.count, by: window).flatMap { start -> [Int] in
            let lengths = order[start ..< min(start + window, order.count)].map { (index: $0, length: records[$0].record.shape.longestSequence) }
            // Not every sort keeps the order of equals.
            let sorted = lengths.indices.sorted { lengths[$0].length == lengths[$1].length ? $0 < $1 : lengths[$0].length > lengths[$1].length }.map { lengths[$0].index }
            let groups = stride(from: 0, to: sorted.count, by: options.group).map { sorted[$0 ..< min($0 + options.group, sorted.count)] }
            // An incomplete group stays last, so that groups of batches stay whole.
            let whole = groups.filter { $0.count == options.group }
            let places = whole.indices.sorted {
                let (a, b) = (records[whole[$0][whole[$0].startIndex]].key, records[whole[$1][whole[$1].startIndex]].key)
                return a == b ? $0 < $1 : a < b
            }
            return places.flatMap { whole[$0] } + groups.filter { $0.count < options.group }.flatMap { $0 }
        }
    }

    /// An id of 32 hexadecimal digits as its 128 bits; other ids are folded into as many.
    static func number(of id: [UInt8]) -> (UInt64, UInt64) {
        func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt64? {
            digits.reduce(UInt64?(0)) { value, digit in
                switch digit {
                case 0x30 ... 0x39: value.map { $0 << 4 | UInt64(digit - 0x30) }
                case 0x61 ... 0x66: value.map { $0 << 4 | UInt64(digit - 0x57) }
                default: nil
                }
            }
        }
        if id.count == 32, let high = hexadecimal(id[..<16]), let low = hexadecimal(id[16...]) { return (high, low) }
        // FNV-1a, from two starting points.
        func fold(_ start: UInt64) -> UInt64 { id.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 } }
        return (fold(0xCBF2_9CE4_8422_2325), fold(0x8422_2325_CBF2_9CE4))
    }
}
