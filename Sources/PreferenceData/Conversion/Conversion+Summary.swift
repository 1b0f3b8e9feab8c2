import SystemIO

extension Conversion {
    /// As the counts have it; of what was left out for its text the first places too, and where a sample is smaller than was asked for.
    public var summaryLine: String? {
        var clauses = counts.summaryLine.map { [$0] } ?? []
        if !contaminations.isEmpty {
            let shown = contaminations.prefix(3).map { "\($0.place) in \($0.document)" }.joined(separator: ", ")
            clauses.append("found \(shown)\(contaminations.count > 3 ? ", ... (--report lists all)" : "")")
        }
        for (part, records) in smallSamples {
            let found = "\(counted(records, "record"))\(part.map { " of \($0)" } ?? "")"
            clauses.append("only \(found) to take a sample of \(options.sample?.count ?? 0) from")
        }
        return clauses.isEmpty ? nil : clauses.joined(separator: "; ")
    }
}
