import JSON
import SystemIO

/// Which records two streams of one kind do not have in common, by id, in memory that does not grow with them.
public struct ReleaseComparison {
    public enum Change: String, Sendable { case added, removed, changed }

    public private(set) var added = 0
    public private(set) var removed = 0
    public private(set) var changed = 0
    /// Ids whose records are the same on both sides.
    public private(set) var same = 0

    public var isEqual: Bool { added + removed + changed == 0 }

    public init() {}

    /// Hands out every id that is only in `new` (added), only in `old` (removed) or whose records differ (changed), in the order of the ids' bytes. A bin goes by the ids
    /// of its records, joined by commas. An id may stand several times: then the sets of its records are compared.
    /// - Parameter memory: bytes of ids and digests held at once; more go to temporary files.
    public mutating func compare(_ old: RecordStreamReader, _ new: RecordStreamReader, memory: Int, report: (Change, Text) throws -> Void) throws {
        guard new.head.schema == old.head.schema else {
            throw InputError("\(new.name): a stream of \(new.head.schema.kind) records in other columns than \(old.name) (\(old.head.schema.kind) records); streams of one kind can be compared")
        }
        var sort = ExternalSort(memory: memory)
        for (side, stream) in [old, new].enumerated() {
            let digest = try RecordDigest(stream.head.schema), id = try ReleaseComparison.id(in: stream.head.schema), reader = AnyRecordReader(stream)
            // The digest before the side: equal records of the two sides come side by side.
            while let record = try reader.next() { try sort.add(key: id(record), value: digest.digest(of: record.bytes()) + [UInt8(side)]) }
        }
        var group = Group()
        try sort.finish { entry in
            if entry.key != group.id {
                try close(group, report)
                group = Group(id: entry.key)
            }
            group.add(entry.value)
        }
        try close(group, report)
    }

    /// The records of one id; only counts are kept, since equal digests follow one another.
    private struct Group {
        var id: [UInt8]?
        var records = [0, 0]
        var differs = false
        private var digest: ArraySlice<UInt8> = []
        private var balance = 0

        init(id: [UInt8]? = nil) { self.id = id }

        mutating func add(_ value: [UInt8]) {
            if value.dropLast() != digest {
                differs = differs || balance != 0
                (digest, balance) = (value.dropLast(), 0)
            }
            let side = Int(value.last ?? 0)
            records[side] += 1
            balance += side == 0 ? 1 : -1
        }

        var isSame: Bool { !differs && balance == 0 }
    }

    private mutating func close(_ group: Group, _ report: (Change, Text) throws -> Void) throws {
        guard let id = group.id else { return }
        guard !group.isSame else { return same += 1 }
        switch (group.records[0], group.records[1]) {
        case (0, _):
            added += 1
            try report(.added, Text(id))
        case (_, 0):
            removed += 1
            try report(.removed, Text(id))
        default:
            changed += 1
            try report(.changed, Text(id))
        }
    }

    private static func id(in schema: Schema) throws -> (BlockRecord) -> [UInt8] {
        if let column = schema.columns.firstIndex(of: .text("id")) { return { $0.block.text(column, $0.index) } }
        guard let column = schema.columns.firstIndex(of: .text("ids", depth: 2)) else {
            throw InputError("\(schema.kind) records have no ids to compare by", status: .usage)
        }
        return { Array($0.block.texts(column, $0.index).joined(separator: [UInt8(ascii: ",")])) }
    }
}
