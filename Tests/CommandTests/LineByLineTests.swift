import TestSupport
import Testing

/// Who writes a line into a pipe and waits for the answer gets it: what has come is written before more is waited for, by any number of threads.
@Suite struct LineByLineTests {
    private let folder = TemporaryFolder()
    static let tokenizer = "--tokenizer \(Command.quoted(Fixtures.path("models/stories260K")))", template = "--template content.jinja"

    @Test(arguments: [
        ("decode \(tokenizer)", "[403, 407]", "[261]", #"["Once upon" "a"]"#), ("text \(tokenizer)", #""Once upon""#, #""a""#, "[[403,407] [261]]"),
        ("render \(template)", #"[{"role": "user", "content": "a"}]"#, #"[{"role": "user", "content": "b"}]"#, #"["a" "b"]"#),
    ], [1, 3])
    func everyLineIsAnswered(_ test: (command: String, first: String, second: String, answers: String), jobs: Int) {
        // The second line is written when the first is answered; half a line is waited for.
        let outcome = Command.shell(
            """
            echo '{{ messages[0].content }}' > content.jinja
            coproc { uf-tokenize \(test.command) -j \(jobs); }
            first=\(Command.quoted(test.first)); printf '%s' "${first:0:1}" >&${COPROC[1]}; printf '%s\\n' "${first:1}" >&${COPROC[1]}
            read -r -t 60 one <&${COPROC[0]} || echo "no answer" >&2
            printf '%s\\n' \(Command.quoted(test.second)) >&${COPROC[1]}; read -r -t 60 two <&${COPROC[0]} || echo "no second answer" >&2
            printf '[%s %s]' "$one" "$two"
            """, in: folder.path)
        #expect(outcome.errors.isEmpty && String(decoding: outcome.output, as: UTF8.self) == test.answers, "\(test.command): \(String(decoding: outcome.output, as: UTF8.self)) \(outcome.errors)")
    }
}
