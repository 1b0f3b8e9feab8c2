import JSON
import SystemIO

/// Exactly what of a damaged stream could be kept and what was lost.
public struct SalvageAccount: Sendable {
    /// Bytes of the input that belong to no intact frame, one after the other, and why the first of them was refused.
    public struct LostBytes: Sendable, Equatable {
        public var range: Range<Int>
        public var reason: String
    }

    /// Records of one gap in the numbers, and why.
    public struct LostRecords: Sendable, Equatable {
        public var range: Range<Int>
        public var reason: String
    }

    public internal(set) var keptRecords = 0
    public internal(set) var keptBlocks = 0
    public internal(set) var lostRecords: [LostRecords] = []
    public internal(set) var lostBytes: [LostBytes] = []
    /// How many records the stream had, where a frame that tells survived; else more may be lost behind the last one kept than anybody can count.
    public internal(set) var totalRecords: Int?
    /// What a reader of the whole stream says; nil where nothing is wrong with it.
    public internal(set) var diagnosis: String?

    public var lostRecordCount: Int { lostRecords.reduce(0) { $0 + $1.range.count } }
    public var lostByteCount: Int { lostBytes.reduce(0) { $0 + $1.range.count } }

    /// For the tail and for reports.
    public var json: JSONValue {
        func list<Lost>(_ losses: [Lost], _ range: (Lost) -> Range<Int>, _ reason: (Lost) -> String) -> JSONValue {
            .array(losses.map { .object([
                ("first", JSONValue(range($0).lowerBound)), ("count", JSONValue(range($0).count)), ("reason", .string(reason($0))),
            ]) })
        }
        return .object([
            ("sound", .bool(diagnosis == nil)),
            ("records", .object([
                ("kept", JSONValue(keptRecords)), ("lost", JSONValue(lostRecordCount)), ("total", totalRecords.map { JSONValue($0) } ?? .null),
            ])),
            ("blocks", .object([("kept", JSONValue(keptBlocks))])),
            ("bytes", .object([("lost", JSONValue(lostByteCount))])),
            ("lost_records", list(lostRecords, \.range, \.reason)), ("lost_bytes", list(lostBytes, \.range, \.reason)),
        ])
    }

    /// Lines for people; the first sums up.
    public var lines: [String] {
        let total = totalRecords.map { " of \($0)" } ?? ""
        guard diagnosis != nil else { return ["nothing is wrong with the stream: kept all \(keptRecords) records"] }
        var lines = [
            "kept \(keptRecords)\(total) records; lost \(totalRecords == nil ? "at least " : "")\(counted(lostRecordCount, "record")) and \(counted(lostByteCount, "byte"))"
        ]
        for lost in lostRecords {
            lines.append("lost record\(lost.range.count == 1 ? " \(lost.range.lowerBound)" : "s \(lost.range.lowerBound) to \(lost.range.upperBound - 1)"): \(lost.reason)")
        }
        for lost in lostBytes { lines.append("lost bytes \(lost.range.lowerBound) to \(lost.range.upperBound - 1): \(lost.reason)") }
        if totalRecords == nil { lines.append("how many records the stream had in all is unknown: the frames that tell are lost") }
        return lines
    }
}
