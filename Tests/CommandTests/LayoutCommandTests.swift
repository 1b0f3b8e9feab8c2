import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing

/// The layouts pairs and sft from raw records on, as a user runs them.
@Suite struct LayoutCommandTests {
    private let folder = TemporaryFolder()
    private let tokenizer = "tokenizer.json"

    init() { _ = run("gzip -dc '\(Fixtures.path("tokenizers/smollm2/tokenizer.json.gz"))' > tokenizer.json") }

    private func run(_ script: String) -> Command.Outcome { Command.shell(script, in: folder.path) }

    private func text(_ outcome: Command.Outcome) -> String { String(decoding: outcome.output, as: UTF8.self) }

    private func write(_ name: String, _ lines: [String]) throws {
        let file = try AtomicFile(path: folder.file(name))
        try file.write(lines.joined(separator: "\n") + "\n")
        try file.finish()
    }

    private func conversation() throws {
        try write("chats.jsonl", [
            #"{"prompt_id":"a","messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"},{"role":"user","content":"Bye"},{"role":"assistant","content":"See you"}]}"#,
            #"{"prompt_id":"b","messages":[{"role":"user","content":"One?"},{"role":"assistant","content":"Two"}]}"#,
        ])
    }

    private func bins(_ name: String) throws -> [PackedBin] {
        let reader = try RecordReader<PackedBin>(FileSource(path: folder.file(name)))
        var bins: [PackedBin] = []
        while let bin = try reader.next() { bins.append(bin) }
        return bins
    }

    /// Every answer of a conversation is learnt, each as a text by itself; the stream survives view and import, and says how it is made.
    @Test func everyAssistantTurn() throws {
        try conversation()
        let made = run("uf-convert chats.jsonl -o r.uf && uf-tokenize r.uf --tokenizer \(tokenizer) --template chatml --loss-on assistant -o t.uf"
            + " && uf-pack t.uf --layout sft --max-length 64 -o p.uf && uf-records check --full t.uf p.uf")
        #expect(made.status == 0, "\(made.errors)")
        let bins = try bins("p.uf")
        #expect(bins.count == 1 && bins[0].members.count == 2)
        var learnt: [String] = []
        for segment in bins[0].segments {
            let ids = Array(bins[0].tokens[Int(segment.labelStart) ..< Int(segment.end)])
            learnt.append(String(decoding: run("echo '\(ids)' | uf-tokenize decode --tokenizer \(tokenizer)").output, as: UTF8.self))
        }
        #expect(learnt == ["\"Hello<|im_end|>\"\n", "\"See you<|im_end|>\"\n", "\"Two<|im_end|>\"\n"])
        for name in ["t.uf", "p.uf"] {
            let back = run("uf-records view --with-head \(name) | uf-records import -o back.uf && cmp \(name) back.uf")
            #expect(back.status == 0, "\(name): \(back.errors)")
            let explained = run("uf-records explain \(name)")
            #expect(explained.status == 0 && text(explained).contains("--loss-on assistant"), "\(text(explained))")
        }
        // Only the responses without the option, and no extra column.
        let last = run("uf-tokenize r.uf --tokenizer \(tokenizer) --template chatml | uf-pack --layout sft --max-length 64 | uf-records view -c 1>&2; uf-tokenize r.uf --tokenizer \(tokenizer)"
            + " --template chatml | uf-pack --layout sft --max-length 64 -o last.uf")
        #expect(last.status == 0, "\(last.errors)")
        #expect(try self.bins("last.uf")[0].segments.map(\.parent) == [-1, -1])
    }

    @Test func pairsOfRatedRecords() throws {
        try write("rated.jsonl", [
            #"{"prompt":"Hi","chosen":"Hello","rejected":"Go away"}"#, #"{"prompt":"Bye","chosen":"See you","rejected":"Never"}"#,
        ])
        let made = run("uf-convert rated.jsonl | uf-tokenize --tokenizer \(tokenizer) --template chatml | uf-pack --layout pairs --pairs given --max-length 64 -o p.uf")
        #expect(made.status == 0, "\(made.errors)")
        let bin = try bins("p.uf")[0]
        #expect(bin.members.map(\.rowMap) == [[1, 2], [4, 5]] && bin.members.allSatisfy { $0.piTarget.isEmpty })
        #expect(text(run("uf-records explain p.uf")).contains("--layout pairs") && run("uf-records head p.uf").status == 0)
    }

    @Test func optionsOfOtherLayoutsAreRefused() {
        for (options, message) in [("--pairs all", "--pairs goes with --layout pairs"), ("--layout pairs --answers all", "--answers goes with --layout sft")] {
            let outcome = run("uf-pack \(options) --max-length 64 < /dev/null")
            #expect(outcome.status == 64 && outcome.errors.contains(message), "\(outcome.errors)")
        }
    }
}
