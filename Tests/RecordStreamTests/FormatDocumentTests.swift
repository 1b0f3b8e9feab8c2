import SystemIO
import TestSupport
import Testing

@testable import RecordStream

/// Holds FORMAT.md to the code: its tables of columns and limits, and its dump of the smallest stream.
@Suite struct FormatDocumentTests {
    private func lines() throws -> [String] {
        String(decoding: try readWholeFile(repositoryRoot + "/Sources/RecordStream/FORMAT.md"), as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// The cells of a table's rows below a heading, without the table's own head.
    private func table(under heading: String) throws -> [[String]] {
        let lines = try lines()
        let start = try #require(lines.firstIndex(of: heading), "no heading \(heading)")
        let section = lines[(start + 1)...].prefix { !$0.hasPrefix("#") }
        return section.filter { $0.hasPrefix("|") }.dropFirst(2).map { line in
            line.split(separator: "|").map { String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
        }
    }

    @Test(arguments: StreamHead.knownSchemas) func columnTables(schema: Schema) throws {
        let rows = try table(under: "### \(schema.kind)").filter { !$0[4].hasPrefix("only in") || schema.columns.map(\.name).contains($0[0]) }
        #expect(rows.map { Array($0.prefix(4)) } == schema.columns.map { [$0.name, $0.type.rawValue, "\($0.depth)", $0.meaning.rawValue] })
        #expect(rows.allSatisfy { $0.count == 5 && !$0[4].isEmpty })
    }

    @Test func limits() throws {
        let rows = try table(under: "## 9. Limits")
        #expect(rows.map { $0[1] } == [StreamLimits.recordBytes, StreamLimits.blockBytes, StreamLimits.headBytes, StreamLimits.blockTarget, StreamLimits.blockRecords].map(String.init))
    }

    @Test func dumpOfTheSmallestStream() throws {
        var bytes: [UInt8] = []
        for line in try lines() {
            // "    000010  00 00 ...  what it is"
            guard line.hasPrefix("    0"), let position = Int(line.dropFirst(4).prefix(6), radix: 16), line.dropFirst(10).hasPrefix("  ") else { continue }
            #expect(position == bytes.count, "\(line)")
            bytes += line.dropFirst(12).prefix(47).split(separator: " ").compactMap { UInt8($0, radix: 16) }
        }
        #expect(try bytes == GoldenStreams.empty())
    }

    /// The field tables state sizes that add up to the structures they describe.
    @Test func fieldTables() throws {
        for (heading, sizes) in [("## 3. Frames", [FrameHeader.size]), ("## 7. INDX and DONE", [IndexEntry.size, DonePayload.size])] {
            // Two tables under one heading are one after the other here; each starts at 0.
            let rows = try table(under: heading).compactMap { cells -> (Int, Int)? in
                guard let at = Int(cells[0]) else { return nil }
                return (at, cells[1].split(separator: "+").compactMap { Int($0) }.reduce(0, +))
            }
            var ends: [Int] = []
            for (at, size) in rows {
                if at == 0 { ends.append(0) }
                #expect(ends.last == at, "\(heading): field at \(at)")
                ends[ends.count - 1] = at + size
            }
            #expect(ends == sizes, "\(heading)")
        }
    }

    @Test func guaranteesAreNumbered() throws {
        let text = try lines().joined(separator: "\n")
        for number in 1 ... 11 { #expect(text.contains("* **G\(number)** "), "G\(number)") }
    }
}
