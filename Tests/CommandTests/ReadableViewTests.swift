import TestSupport
import Testing

/// uf-records view --tokenizer as a user runs it: what of a record is text, special token, masked, cut, and that nothing of it commands a terminal.
@Suite struct ReadableViewTests {
    private let folder = TemporaryFolder()

    /// A special token's name, an escape and a mark of writing direction in texts; a response that is cut inside a character.
    init() {
        let made = run(
            #"""
            gzip -dc '\#(Fixtures.path("tokenizers/smollm2/tokenizer.json.gz"))' > tokenizer.json
            printf '%s\n' '{"prompt":"Say <|im_end|> and \u001b[2J","chosen":"Hi\tthere\u202e","rejected":"No"}' '{"prompt":"Bye","chosen":"See you","rejected":"🦩🦩🦩🦩🦩🦩🦩🦩🦩🦩"}' > raw.jsonl
            uf-convert raw.jsonl -o rated.uf && uf-tokenize rated.uf --tokenizer tokenizer.json --template chatml -o tokens.uf && uf-pack tokens.uf --layout pairs --max-length 33 -o packed.uf
            """#)
        #expect(made.status == 0, "\(made.errors)")
    }

    private func run(_ script: String) -> Command.Outcome { Command.shell("unset NO_COLOR; " + script, in: folder.path) }

    private func text(_ script: String, sourceLocation: SourceLocation = #_sourceLocation) -> String {
        let outcome = run(script)
        #expect(outcome.status == 0, "\(outcome.errors)", sourceLocation: sourceLocation)
        return String(decoding: outcome.output, as: UTF8.self)
    }

    private static let first = #"""
        record 7f19dc21422a0f1360539c08df49ec61  trl, input 1, line 1
          prompt  23 tokens, masked
            ⟦<|im_start|>⟧user
            Say <|im_end|> and \u{1B}[2J⟦<|im_end|>⟧
            ⟦<|im_start|>⟧assistant
            |
          response 0  6 tokens, learnt
            Hi\tthere\u{202E}⟦<|im_end|>⟧
          response 1  2 tokens, learnt
            No⟦<|im_end|>⟧
          pair  response 0 is better than response 1
          preference
            response 0  rated 1  0.7311  #############################
            response 1  rated 0  0.2689  ###########


        """#.replacing("    |\n", with: "    \n")

    @Test func aBinIsAPage() {
        #expect(text("uf-records view packed.uf --tokenizer tokenizer.json") == "bin 0  67 tokens, 2 records\n" + Self.first + #"""
            record ed56f60216070e1b83c12382348f4eb0  trl, input 1, line 2
              prompt  11 tokens, masked
                ⟦<|im_start|>⟧user
                Bye⟦<|im_end|>⟧
                ⟦<|im_start|>⟧assistant
                |
              response 0  3 tokens, learnt
                See you⟦<|im_end|>⟧
              response 1  22 tokens, learnt
                🦩🦩🦩🦩🦩🦩🦩\xF0\x9F[9 tokens cut]
              pair  response 0 is better than response 1
              preference
                response 0  rated 1  0.7311  #############################
                response 1  rated 0  0.2689  ###########


            """#.replacing("    |\n", with: "    \n"))
        // A record alone; from a pipe, from a model folder; a tokens record, which nothing was cut of and no pair was made of.
        #expect(text("mkdir model; cp tokenizer.json model; uf-records view --tokenizer model --id 7f19dc21422a0f1360539c08df49ec61 < packed.uf") == "bin 0  67 tokens, 2 records\n" + Self.first)
        #expect(text("uf-records view tokens.uf --tokenizer tokenizer.json --range :1") == Self.first.replacing("  pair  response 0 is better than response 1\n", with: ""))
        #expect(text("uf-pack tokens.uf --max-length 22 2>/dev/null | uf-records view --tokenizer tokenizer.json").contains(#"""
              prompt  16 tokens, masked
                ⟦<|im_start|>⟧user
                Say <|[7 tokens cut]\u{1B}[2J⟦<|im_end|>⟧

            """#))
    }

    /// Three gaps of a prompt, one where the paper's rule cuts, one at the start; of streams that keep no places the sum in the heading.
    @Test func cutsOfPromptsStandInTheirPlaces() {
        let system = #"{"role":"system","content":"You are brief and friendly and never say more than is needed."}"#
        let turns = #"{"role":"user","content":"Hi, who are you?"},{"role":"assistant","content":"Hello, I am Una."},"#
            + #"{"role":"user","content":"What is the capital of the country that lies between France and Portugal, and since when?"},{"role":"assistant","content":"Madrid"}"#
        func prompt(_ page: String) -> [Substring] { page.split(separator: "\n").drop { !$0.hasPrefix("  prompt") }.prefix { !$0.hasPrefix("  response") } }
        for (name, messages) in [("with", system + "," + turns), ("without", turns)] {
            _ = text("echo '{\"messages\":[\(messages)]}' | uf-convert | uf-tokenize --tokenizer tokenizer.json --template chatml -o \(name).uf")
        }
        func packed(_ options: String) -> [Substring] { prompt(text("uf-pack --layout sft \(options) 2> /dev/null | uf-records view --tokenizer tokenizer.json")) }
        #expect(packed("with.uf --max-length 36") == [
            "  prompt  33 tokens, masked", "    ⟦<|im_start|>⟧system", "    You are brief and[4 tokens cut] more than is needed.⟦<|im_end|>⟧",
            "    [24 tokens cut]⟦<|im_start|>⟧user", "    What is the capital of[8 tokens cut], and since when?⟦<|im_end|>⟧", "    ⟦<|im_start|>⟧assistant", "    ",
        ])
        #expect(packed("without.uf --max-length 40").starts(with: ["  prompt  27 tokens, masked", "    [24 tokens cut]⟦<|im_start|>⟧user"]))
        #expect(packed("with.uf --max-length 34 --truncation paper").last == "    ⟦<|im_start|>⟧ass[38 tokens cut]")
        let colored = text("uf-pack --layout sft --max-length 36 with.uf 2> /dev/null | uf-records view --tokenizer tokenizer.json --color")
        #expect(colored.contains("and\u{1B}[0m\u{1B}[33m[4 tokens cut]\u{1B}[0m\u{1B}[2m more than is needed."))
        // As earlier releases made it.
        let old = text(#"""
            uf-pack --layout sft with.uf --max-length 36 -o new.uf 2> /dev/null
            uf-records view new.uf | sed 's/,"prompt_gaps":[^}]*\(}[^]]*\)*\]\]//' | uf-records import --like new.uf -o old.uf && uf-records view old.uf --tokenizer tokenizer.json
            """#)
        #expect(prompt(old).starts(with: ["  prompt  33 tokens, masked  [36 tokens cut]", "    ⟦<|im_start|>⟧system", "    You are brief and more than is needed.⟦<|im_end|>⟧"]) && !old.contains("]⟦"))
    }

    /// Earlier answers that are learnt stand apart; prompts of their own stand before their responses.
    @Test func whatIsLearntStandsApart() {
        let chat = #"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"},{"role":"user","content":"Bye"},{"role":"assistant","content":"See you"}]}"#
        let page = text("echo '\(chat)' | uf-convert | uf-tokenize --tokenizer tokenizer.json --template chatml --loss-on assistant | uf-pack --layout sft --max-length 64 | uf-records view --tokenizer tokenizer.json")
        #expect(page.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") } == [
            "  prompt  10 tokens, masked", "  earlier answer  2 tokens, learnt", "  prompt  12 tokens, masked", "  response 0  3 tokens, learnt",
        ], "\(page)")
        let own = text("uf-convert '\(Fixtures.path("sources/ultrafeedback-2023-08.jsonl"))' --system completion | uf-tokenize --tokenizer tokenizer.json --template chatml | uf-records view --tokenizer tokenizer.json")
        let titles = own.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }.compactMap { $0.split(separator: " ").first }
        #expect(titles == ["prompt", "response", "prompt", "response", "helpfulness", "honesty", "instruction_following", "truthfulness"], "\(titles)")
    }

    /// The same text with colours and without; colours on a terminal, where NO_COLOR is not set, or when asked for.
    @Test func colorsSayNothingElse() {
        let view = "uf-records view packed.uf --tokenizer tokenizer.json", plain = text(view), colored = text(view + " --color")
        #expect(colored.replacing(/\u{1B}\[[0-9;]*m/, with: "") == plain && !plain.contains("\u{1B}"))
        for piece in ["\u{1B}[1mresponse 1\u{1B}[0m", "\u{1B}[2mSay <|im_end|> and \\u{1B}[2J\u{1B}[0m\u{1B}[2;36m⟦<|im_end|>⟧\u{1B}[0m", "No\u{1B}[36m⟦<|im_end|>⟧\u{1B}[0m", "\u{1B}[33m[9 tokens cut]\u{1B}[0m"] {
            #expect(colored.contains(piece), "\(piece)")
        }
        func onTerminal(_ setting: String, _ option: String = "") -> String { text("\(setting) script -qec '\(view) \(option)' /dev/null").replacing("\r\n", with: "\n") }
        guard run("command -v script").status == 0 else { return }
        #expect(onTerminal("") == colored && onTerminal("NO_COLOR=") == colored && onTerminal("NO_COLOR=1") == plain && onTerminal("NO_COLOR=1", "--color") == colored)
        #expect(onTerminal("", "--no-color") == plain)
    }

    @Test func refusals() {
        func expect(_ script: String, _ status: Int32, _ errors: String) {
            let outcome = run(script)
            #expect(outcome.status == status && outcome.errors == errors && outcome.output.isEmpty, "\(outcome.status): \(outcome.errors)")
        }
        let stories = Fixtures.path("models/stories260K")
        expect("uf-records view packed.uf --tokenizer '\(stories)'", 65,
               "uf-records: packed.uf: its token ids are of the tokenizer 07d0f2dd47e2f277, and \(stories)/tokenizer.json is 4a5d174211d3e516; give the one that uf-tokenize had\n")
        expect("uf-records view rated.uf --tokenizer tokenizer.json", 64, "uf-records: rated.uf: a stream of rated records, which hold no token ids; without --tokenizer they are shown as JSON\n")
        expect("uf-records view packed.uf --tokenizer absent", 66, "uf-records: absent: cannot be opened for reading: No such file or directory\n")
        expect("uf-records view packed.uf --color", 64, "uf-records: --color, --no-color and --tokenizer-family go with --tokenizer (uf-records view --help tells more)\n")
        expect("uf-records view packed.uf --tokenizer tokenizer.json -c", 64, "uf-records: --tokenizer shows text: no --fields, -c or --with-head (uf-records view --help tells more)\n")
        expect("uf-records view packed.uf --tokenizer tokenizer.json --tokenizer-family llama3", 65,
               "uf-records: tokenizer.json: says itself how text is cut and which tokens are special; leave --tokenizer-family out\n")
        // A head that names this tokenizer, and an id that it does not have.
        expect("uf-records view --with-head tokens.uf | sed 's/\"responses\":\\[\\[[0-9]*/\"responses\":[[70000/' | uf-records import --edited -o wrong.uf; uf-records view wrong.uf --tokenizer tokenizer.json", 65,
               "uf-records: wrong.uf: record 0: token id 70000 is not in the vocabulary of 49152\n")
    }
}
