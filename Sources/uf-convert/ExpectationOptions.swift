import ArgumentParser
import InputFiles

/// What the inputs must hold; checks only, which change no byte of the stream.
struct ExpectationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Refuse inputs that hold another number of records, all together: lines that are not blank, or elements.", valueName: "number"))
    var expectRecords: Int?

    @Option(help: ArgumentHelp(
        "Refuse an input whose decoded bytes have another SHA-256; repeated, once for each input in order (each file of an archive is one).", valueName: "digest"))
    var expectSha256: [String] = []

    var value: InputExpectations { InputExpectations(records: expectRecords, sha256: expectSha256.map { $0.lowercased() }) }

    func validate() throws {
        if let expectRecords, expectRecords < 0 { throw ValidationError("--expect-records takes a number from 0") }
        for digest in expectSha256 where digest.utf8.count != 64 || !digest.utf8.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }) {
            throw ValidationError("--expect-sha256 takes 64 hexadecimal digits, as sha256sum prints them, not \"\(digest)\"")
        }
    }

    /// Fewer digests than inputs are refused before anything is read; how many files an archive holds shows later.
    func check(operands: [String]) throws {
        let inputs = max(operands.count, 1)
        guard expectSha256.isEmpty || expectSha256.count >= inputs else {
            let times = expectSha256.count == 1 ? "once" : "\(expectSha256.count) times"
            throw ValidationError("--expect-sha256 is given \(times) for \(inputs) inputs: give it once for each, in their order")
        }
    }
}
