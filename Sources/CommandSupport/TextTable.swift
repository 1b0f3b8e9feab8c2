/// A table for people: columns aligned, numbers to the right.
public struct TextTable {
    public enum Alignment: Sendable { case left, right }

    private let alignments: [Alignment]
    private var rows: [[String]] = []
    private var header: [String]

    /// - Parameter columns: heading and alignment of each.
    public init(_ columns: [(String, Alignment)]) {
        header = columns.map(\.0)
        alignments = columns.map(\.1)
    }

    public mutating func add(_ cells: [String]) {
        precondition(cells.count == header.count, "a row of \(cells.count) cells in a table of \(header.count) columns")
        rows.append(cells)
    }

    /// Text from data as a cell: control characters as ?, and what is longer than `most` characters cut.
    public static func cell(_ text: String, most: Int = .max) -> String {
        let shown = String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || (0x7F ... 0x9F).contains($0.value) ? "?" : $0 }))
        return shown.count <= most ? shown : shown.prefix(most - 3) + "..."
    }

    public var isEmpty: Bool { rows.isEmpty }

    /// The lines, without trailing spaces.
    public func lines(indent: Int = 0) -> [String] {
        let all = (header.allSatisfy(\.isEmpty) ? [] : [header]) + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            var line = String(repeating: " ", count: indent)
            for (column, cell) in row.enumerated() {
                if column > 0 { line += "  " }
                let gap = String(repeating: " ", count: widths[column] - cell.count)
                line += alignments[column] == .left ? cell + gap : gap + cell
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    public func text(indent: Int = 0) -> String { lines(indent: indent).map { $0 + "\n" }.joined() }
}
