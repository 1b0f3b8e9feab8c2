import ArgumentParser
import Checksums
import Glibc
import JSON
import SystemIO
import Tokenization

/// The rate of the encoder by itself, in this process and on one thread, for comparison with other libraries' encoders: no reading, no writing.
@main
struct TokenizerSpeed: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uf-tokenizer-speed", abstract: "Encode texts again and again; print bytes per second of the first pass and of the best, and the SHA-256 of the ids, as JSON.",
        discussion: "Without texts: print the seconds that a megabyte, and four, without a break take, for several kinds of character.")

    @Option(help: "Passes over all texts.") var passes = 3
    @Argument(help: "A tokenizer.json.") var tokenizer: String
    @Argument(help: "Texts, one JSON string a line.") var texts: String?

    func run() throws {
        let tokenizer = try Tokenizer(json: readWholeFile(tokenizer), name: tokenizer)
        guard let texts else { return print(try LongRuns.measured(tokenizer)) }
        let parser = JSONParser()
        var encoded: [[UInt8]] = []
        for line in try readWholeFile(texts).split(separator: 0x0A) {
            let text = try Array(line).withUnsafeBufferPointer { try parser.read($0) { Array($0.stringBytes ?? UnsafeBufferPointer(start: nil, count: 0)) } }
            encoded.append(text)
        }
        let bytes = encoded.reduce(0) { $0 + $1.count }
        let scratch = EncodingScratch()
        var seconds: [Double] = [], ids: [UInt32] = []
        for _ in 0 ..< max(1, passes) {
            ids.removeAll(keepingCapacity: true)
            let start = now()
            // Room for most texts at once: growing by copies would be no part of encoding.
            ids.reserveCapacity(bytes / 3)
            for text in encoded { try text.withUnsafeBufferPointer { try tokenizer.encode($0, into: &ids, scratch: scratch) } }
            seconds.append(now() - start)
        }
        var digest = SHA256()
        ids.withUnsafeBytes { digest.update($0) }
        print(#"{"bytes": \#(bytes), "ids": \#(ids.count), "sha256": "\#(digest.hexDigest())", "first": \#(Double(bytes) / seconds[0]), "best": \#(Double(bytes) / (seconds.min() ?? 1))}"#)
    }
}

func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
}
