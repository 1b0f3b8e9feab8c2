import RecordStream
import SystemIO
import Testing

@testable import CommandSupport

@Suite struct TextTests {
    @Test func numbersBelowZeroAreValues() {
        for (words, joined) in [
            ("--low -1 -j -2 x", "--low=-1 -j=-2 x"), ("--low -.5 --high -1..2", "--low=-.5 --high=-1..2"), ("--low - -v --high=1 -3", "--low - -v --high=1 -3"),
            ("a -1 -- --low -1", "a -1 -- --low -1"), ("--low -x", "--low -x"),
        ] { #expect(CommandLineTool.joinedNumbers(words.split(separator: " ").map(String.init)) == joined.split(separator: " ").map(String.init)) }
    }

    @Test func decimals() {
        #expect(decimal(0.6931471805, 4) == "0.6931")
        #expect(decimal(-0.00001, 4) == "0.0000")
        #expect(decimal(-1.005, 1) == "-1.0")
        #expect(decimal(12.5, 0) == "13")
        #expect(decimal(0.05, 2) == "0.05")
        #expect(decimal(.nan, 2) == "nan")
        #expect(decimal(-.infinity, 2) == "-inf")
    }

    @Test func quantitiesAndDurations() {
        #expect([0, 7, 7.314, 42, 512.4, 9999, 31_000, 1_234_000, 2.5e9].map(Progress.quantity) == ["0", "7", "7.31", "42", "512", "9999", "31.0 k", "1.23 M", "2.50 G"])
        #expect([7, 750, 11_100].map { Progress.duration($0) } == ["0:07", "12:30", "3:05:00"])
    }

    @Test func progressLine() {
        #expect(Progress.line("uf-train", done: 50, total: 200, unit: "records", seconds: 10, detail: "loss 0.67") == "uf-train  [#####...............] 25 %  5 records/s  0:30 left  loss 0.67")
        #expect(Progress.line("uf-convert", done: 0, total: nil, unit: "records", seconds: 0, detail: "") == "uf-convert  0 records  0 records/s")
    }

    @Test func tablesAlign() {
        var table = TextTable([("dimension", .left), ("loss", .right)])
        table.add(["honesty", "0.69"])
        table.add(["", "10.00"])
        #expect(table.lines(indent: 2) == ["  dimension   loss", "  honesty     0.69", "             10.00"])
    }

    @Test func helpNamesEveryStatusItWasGiven() {
        let text = HelpText.discussion("Does a thing.", examples: [("uf-x a", "does it to a")], statuses: ExitStatus.allCases)
        for status in ExitStatus.allCases { #expect(text.contains("\(status.rawValue)  \(HelpText.meaning(status))")) }
        #expect(text.hasPrefix("Does a thing.\n\nEXAMPLES\n  uf-x a\n      does it to a\n\nEXIT STATUS\n"))
    }
}
