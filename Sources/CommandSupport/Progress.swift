import Glibc
import SystemIO

/// One line on the terminal that says how far a command is: `uf-tokenize  [#####.....] 52 %  31 k records/s  0:42 left`. Silent when disabled.
public final class Progress {
    private let what: String
    private let total: Int?
    private let unit: String
    private let enabled: Bool
    private let start = Progress.seconds()
    private var shown = 0.0
    nonisolated(unsafe) private static var lineIsOpen = false

    init(_ what: String, total: Int?, unit: String, enabled: Bool) {
        self.what = what
        self.total = total
        self.unit = unit
        self.enabled = enabled
    }

    static func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// Seconds since the work began.
    public var elapsed: Double { Progress.seconds() - start }

    /// `done` of `total` units; `detail` is shown at the end of the line (a loss, say). Redraws at most ten times a second.
    public func update(_ done: Int, detail: String = "") {
        guard enabled else { return }
        let now = Progress.seconds()
        guard now - shown >= 0.1 else { return }
        shown = now
        let line = Progress.line(what, done: done, total: total, unit: unit, seconds: now - start, detail: detail)
        try? FileSink(descriptor: STDERR_FILENO, name: "standard error").write("\r\u{1B}[K" + line)
        Progress.lineIsOpen = true
    }

    public func finish() { Progress.clear() }

    /// Wipes the line, so that a message does not stand in the middle of it.
    static func clear() {
        guard lineIsOpen else { return }
        lineIsOpen = false
        try? FileSink(descriptor: STDERR_FILENO, name: "standard error").write("\r\u{1B}[K")
    }

    static func line(_ what: String, done: Int, total: Int?, unit: String, seconds: Double, detail: String) -> String {
        let rate = seconds > 0 ? Double(done) / seconds : 0
        var parts = [what]
        if let total, total > 0 {
            let share = min(1, Double(done) / Double(total))
            let filled = Int(share * 20)
            parts.append("[" + String(repeating: "#", count: filled) + String(repeating: ".", count: 20 - filled) + "] \(Int(share * 100)) %")
        } else {
            parts.append("\(quantity(Double(done))) \(unit)")
        }
        parts.append("\(quantity(rate)) \(unit)/s")
        if let total, rate > 0, done > 0 { parts.append(duration(Double(max(0, total - done)) / rate) + " left") }
        if !detail.isEmpty { parts.append(detail) }
        return parts.joined(separator: "  ")
    }

    /// Three digits that matter: 7.31, 42.0, 512, 31 k, 1.2 M.
    public static func quantity(_ value: Double) -> String {
        func digits(_ x: Double) -> String { x >= 100 ? "\(Int(x.rounded()))" : decimal(x, x >= 10 ? 1 : 2) }
        if value >= 1e9 { return digits(value / 1e9) + " G" }
        if value >= 1e6 { return digits(value / 1e6) + " M" }
        if value >= 1e4 { return digits(value / 1e3) + " k" }
        return value == value.rounded() ? "\(Int(value))" : digits(value)
    }

    /// 0:07, 12:30, 3:05:00.
    public static func duration(_ seconds: Double) -> String {
        let all = Int(min(seconds, 1e8).rounded())
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return all < 3600 ? "\(all / 60):\(two(all % 60))" : "\(all / 3600):\(two(all / 60 % 60)):\(two(all % 60))"
    }
}

/// A number with `places` digits after the point, in no locale: 0.6931.
public func decimal(_ value: Double, _ places: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    guard abs(value) < 1e15 else { return "\(value)" }
    var scale = 1.0
    for _ in 0 ..< places { scale *= 10 }
    let scaled = (abs(value) * scale).rounded()
    guard scaled < 9e18 else { return "\(value)" }
    let digits = String(Int(scaled))
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    let sign = value < 0 && scaled != 0 ? "-" : ""
    return places == 0 ? sign + padded : sign + padded.dropLast(places) + "." + padded.suffix(places)
}
