import JSON
import SystemIO

/// The first place where two streams do not hold the same: kind, columns, settings, then record by record and field by field. How they were made, their blocks and codecs
/// have no part in it.
public struct StreamDifference: Sendable, Equatable {
    /// `settings.layout`, `records`, or a place in a record such as `responses[1]`.
    public var field: String
    /// Number of the record, from 0, and its id, where it is about one.
    public var record: Int?
    public var id: String?
    /// For texts: the first byte that differs.
    public var byte: Int?
    /// The two values as JSON, long ones cut to what is around the difference.
    public var left: String
    public var right: String

    /// Nil for streams that hold the same; both have then been read to their end marks.
    public static func first(_ left: RecordStreamReader, _ right: RecordStreamReader) throws -> StreamDifference? {
        if let difference = try heads(left.head, right.head) { return difference }
        let readers = (AnyRecordReader(left), AnyRecordReader(right))
        while true {
            switch (try readers.0.next(), try readers.1.next()) {
            case (nil, nil): return nil
            case (let record?, nil): return StreamDifference(field: "records", record: record.number, id: record.id, left: "a record", right: "the end")
            case (nil, let record?): return StreamDifference(field: "records", record: record.number, id: record.id, left: "the end", right: "a record")
            case (let one?, let other?):
                guard try one.bytes() != other.bytes() else { continue }
                return RecordDifference(one, other).first
            }
        }
    }

    private static func heads(_ left: StreamHead, _ right: StreamHead) throws -> StreamDifference? {
        func json(_ value: JSONValue?) throws -> String { try value.map { String(decoding: try $0.canonical, as: UTF8.self) } ?? "nothing" }
        guard left.schema.kind == right.schema.kind else { return StreamDifference(field: "kind", left: left.schema.kind, right: right.schema.kind) }
        for number in 0 ..< max(left.schema.columns.count, right.schema.columns.count) {
            let columns = [left, right].map { $0.schema.columns.indices.contains(number) ? $0.schema.columns[number] : nil }
            if columns[0] != columns[1] { return StreamDifference(field: "columns[\(number)]", left: try json(columns[0]?.json), right: try json(columns[1]?.json)) }
        }
        for name in Set(left.settings.keys).union(right.settings.keys).sorted() where left.settings[name] != right.settings[name] {
            return StreamDifference(field: "settings.\(name)", left: try json(left.settings[name]), right: try json(right.settings[name]))
        }
        return nil
    }
}

extension BlockRecord {
    /// Of a kind whose records have one.
    var id: String? { block.schema.columns.firstIndex(of: .text("id")).map { Text(block.text($0, index)).description } }
}

/// Where two records of one schema part.
private struct RecordDifference {
    private let one: BlockRecord
    private let other: BlockRecord

    init(_ one: BlockRecord, _ other: BlockRecord) { (self.one, self.other) = (one, other) }

    var first: StreamDifference? {
        for (column, definition) in one.block.schema.columns.enumerated() {
            if let difference = compare(column, definition, definition.depth, one.values(column), other.values(column), path: definition.name) { return difference }
        }
        return nil
    }

    /// - Parameter depth: levels of lists below `path`.
    private func compare(_ column: Int, _ definition: Column, _ depth: Int, _ left: Range<Int>, _ right: Range<Int>, path: String) -> StreamDifference? {
        if depth == 1, definition.meaning == .text { return compareTexts(one.raw(column, left), other.raw(column, right), path) }
        let isList = depth > 0
        for (number, pair) in zip(left, right).enumerated() {
            let inner = isList ? "\(path)[\(number)]" : path
            if depth == 2 {
                let (a, b) = (one.block.innerRange(column, pair.0), other.block.innerRange(column, pair.1))
                if let difference = compare(column, definition, 1, a, b, path: inner) { return difference }
            } else if definition.meaning == .dictionary {
                let (a, b) = (one.entry(column, pair.0), other.entry(column, pair.1))
                if let difference = compareTexts(a, b, inner) { return difference }
            } else {
                let (a, b) = (one.raw(column, pair.0 ..< pair.0 + 1), other.raw(column, pair.1 ..< pair.1 + 1))
                if a != b { return found(inner, left: one.number(column, pair.0), right: other.number(column, pair.1)) }
            }
        }
        return left.count == right.count ? nil : found(path, left: "\(left.count) values", right: "\(right.count) values")
    }

    private func compareTexts(_ left: [UInt8], _ right: [UInt8], _ path: String) -> StreamDifference? {
        guard left != right else { return nil }
        let byte = zip(left, right).prefix { $0 == $1 }.count
        return found(path, byte: byte, left: excerpt(left, around: byte), right: excerpt(right, around: byte))
    }

    private func found(_ field: String, byte: Int? = nil, left: String, right: String) -> StreamDifference {
        StreamDifference(field: field, record: one.number, id: one.id ?? other.id, byte: byte, left: left, right: right)
    }

    /// Up to 80 bytes of a text as a JSON string, whole characters only, with dots for what was left out.
    private func excerpt(_ text: [UInt8], around byte: Int) -> String {
        func isBoundary(_ at: Int) -> Bool { at >= text.count || text[at] & 0xC0 != 0x80 }
        var start = max(0, min(byte, text.count) - 20), end = min(text.count, start + 80)
        while start > 0, !isBoundary(start) { start -= 1 }
        while end < text.count, !isBoundary(end) { end += 1 }
        let piece = (try? JSONValue.string(Text(text[start ..< end])).canonical).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
        return (start > 0 ? "..." : "") + piece + (end < text.count ? "..." : "")
    }
}

extension BlockRecord {
    /// The column's values, or lists, that belong to the record.
    fileprivate func values(_ column: Int) -> Range<Int> { block.schema.columns[column].depth == 0 ? index ..< index + 1 : block.range(column, index) }

    fileprivate func raw(_ column: Int, _ range: Range<Int>) -> [UInt8] { Array(block.rawValues(column, range)) }

    fileprivate func entry(_ column: Int, _ at: Int) -> [UInt8] { Array(block.dictionaryText(column, Int(block.values(column, as: UInt32.self)[at]))) }

    fileprivate func number(_ column: Int, _ at: Int) -> String {
        switch block.schema.columns[column].type {
        case .u8: "\(block.values(column, as: UInt8.self)[at])"
        case .u32: "\(block.values(column, as: UInt32.self)[at])"
        case .u64: "\(block.values(column, as: UInt64.self)[at])"
        case .i32: "\(block.values(column, as: Int32.self)[at])"
        case .f32: RecordView.number(block.values(column, as: Float.self)[at])
        case .f64: RecordView.number(block.values(column, as: Double.self)[at])
        }
    }
}
