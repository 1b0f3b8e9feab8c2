/// Counts as bars, the longest of 40 characters: one line each with its label, the bar and the count.
public func barChart(_ counts: [(label: String, count: Int)], indent: Int = 2) -> [String] {
    let most = max(1, counts.map(\.count).max() ?? 1)
    var table = TextTable([("", .right), ("", .left), ("", .right)])
    for (label, count) in counts { table.add([label, String(repeating: "#", count: (count * 40 + most - 1) / most), count == 0 ? "" : "\(count)"]) }
    return table.lines(indent: indent)
}

/// Parts of a whole as bars, 40 characters for all of it: one line each with its label, a note, the share and the bar.
public func barChart(shares: [(label: String, note: String, share: Double)], indent: Int = 2) -> [String] {
    var table = TextTable([("", .left), ("", .left), ("", .right), ("", .left)])
    for (label, note, share) in shares { table.add([label, note, decimal(share, 4), String(repeating: "#", count: Int((share * 40).rounded()))]) }
    return table.lines(indent: indent)
}
