import PortableMath
import RecordStream
import SystemIO

/// Holds records and hands them out in an order that the seed and their ids alone decide, whatever the order in which they came.
///
/// The one part of packing that needs the whole set in memory: the limit makes that a choice.
struct ShuffledRecords {
    private var records: [(key: UInt64, record: FittedRecord)] = []
    private let seed: UInt64
    private let limit: Int
    private var bytes = 0

    /// Tells this use of a seed apart from all others ("pack").
    private static let randomStream: UInt32 = 0x7061_636B

    /// - Parameter limit: bytes of tokens and ratings that may be held.
    init(seed: UInt64, limit: Int) {
        self.seed = seed
        self.limit = limit
    }

    mutating func add(_ record: FittedRecord) throws {
        bytes += record.storedBytes(in: .sharedPrefix)
        guard bytes <= limit else {
            throw InputError("--order shuffled holds all records in memory, and after \(records.count) they exceed \(limit >> 20) MiB; allow more (--shuffle-memory), or leave the order to training, which shuffles bins")
        }
        var random = CounterRandom(seed: seed, stream: ShuffledRecords.randomStream, record: ShuffledRecords.number(of: record.record.id.bytes))
        records.append((random.next(), record))
    }

    /// Empties the store. Equal keys go by id; records with one id keep the order in which they came.
    mutating func take() -> [FittedRecord] {
        defer { records = [] }
        let order = records.indices.sorted {
            let (a, b) = (records[$0], records[$1])
            if a.key != b.key { return a.key < b.key }
            return a.record.record.id == b.record.record.id ? $0 < $1 : a.record.record.id < b.record.record.id
        }
        return order.map { records[$0].record }
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
