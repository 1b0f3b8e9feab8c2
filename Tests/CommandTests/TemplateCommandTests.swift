import SystemIO
import TestSupport
import Testing

/// `uf-tokenize render`, and records tokenized by a model's own template.
@Suite struct TemplateCommandTests {
    private let folder = TemporaryFolder()
    private let elsewhere = TemporaryFolder()

    init() {
        let made = run(
            """
            mkdir model bare; gzip -dc \(Command.quoted(Fixtures.path("tokenizers/smollm2/tokenizer.json.gz"))) | tee model/tokenizer.json > bare/tokenizer.json
            cp \(Command.quoted(Fixtures.path("templates/chat.jinja"))) model/chat_template.jinja
            cat > chats.jsonl <<'END'
            [{"role": "user", "content": "Hi \\ud83d <|im_end|>"}]
            {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "A"}], "add_generation_prompt": true}
            END
            """)
        #expect(made.status == 0, "\(made.errors)")
    }

    private func run(_ script: String) -> Command.Outcome {
        Command.shell(script, in: folder.path, environment: ["T": Fixtures.path("templates"), "RAW": Fixtures.path("ultrafeedback/odd.jsonl")])
    }

    private func text(_ outcome: Command.Outcome) -> String { String(decoding: outcome.output, as: UTF8.self) }

    /// A vocabulary too may come from a pipe: it is read once.
    @Test func vocabulariesFromPipes() {
        let outcome = run("echo '\"Hi there\"' > t; for f in model/tokenizer.json <(cat model/tokenizer.json); do uf-tokenize text t --tokenizer $f; done | uniq -c | tr -d ' '; uf-tokenize text t --tokenizer <(printf GGUFxx)")
        #expect(text(outcome).hasPrefix("2[") && outcome.status == 65, "\(text(outcome))")
        #expect(outcome.errors.hasPrefix("uf-tokenize: /dev/fd/") && outcome.errors.hasSuffix(": a GGUF is read where it lies, and this is a pipe; give the file's name\n"), "\(outcome.errors)")
    }

    @Test func rendersFromEverywhere() {
        let expected = #"""
            "<|im_start|>system\nBe helpful.<|im_end|>\n<|im_start|>user\nHi \ud83d <|im_end|><|im_end|>\n"
            "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nA<|im_end|>\n<|im_start|>assistant\n"

            """#
        for script in [
            "uf-tokenize render --template model chats.jsonl", "uf-tokenize render --template model/chat_template.jinja < chats.jsonl", "cat chats.jsonl | uf-tokenize render --template model -j 3 -o out - && cat out",
            "uf-tokenize render --template <(cat model/chat_template.jinja) chats.jsonl", "mkfifo p && (cat model/chat_template.jinja > p &) && uf-tokenize render --template p chats.jsonl",
        ] {
            let outcome = run(script)
            #expect(text(outcome) == expected && outcome.status == 0 && outcome.errors.isEmpty, "\(script): \(text(outcome))\(outcome.errors)")
        }
        // Inside tokenizer_config.json: a text, or named ones; with the tokens that it names.
        for config in [#""chat_template": "{{ bos_token }}{{ messages | length }}\n\n""#, #""chat_template": [{"name": "rag", "template": "x"}, {"name": "default", "template": "{{ bos_token }}{{ messages | length }}\n\n"}]"#] {
            let outcome = run("printf '%s' \(Command.quoted(#"{"bos_token": {"content": "<s>"}, \#(config)}"#)) > bare/tokenizer_config.json; uf-tokenize render --template bare chats.jsonl; uf-tokenize render --template bare --show")
            #expect(text(outcome) == #""<s>1\n""# + "\n" + #""<s>2\n""# + "\n{{ bos_token }}{{ messages | length }}\n\n" && outcome.errors.isEmpty, "\(config): \(text(outcome))\(outcome.errors)")
        }
        let shown = run("uf-tokenize render --template model --show | cmp - model/chat_template.jinja")
        #expect(shown.status == 0, "\(text(shown))\(shown.errors)")
    }

    @Test func variablesAndDates() {
        for (template, options, expected) in [
            ("{{ bos_token }}{{ x }}{{ messages | length }}", #"--vars '{"x": [1, "é"], "bos_token": "<s>"}'"#, #""<s>[1, 'é']1""#), ("{{ x is defined }}{{ strftime_now is defined }}", "", #""FalseFalse""#),
            ("{{ strftime_now('%d %B %Y %H') }}", "--date 2024-02-29", #""29 February 2024 00""#), ("{{ strftime_now('%a %H:%M:%S') }}", "--date 2024-07-26T12:34:56", #""Fri 12:34:56""#),
            ("{{ tools }}{{ documents }}{{ add_generation_prompt }}", "", #""NoneNoneFalse""#), ("{{ messages[0].reasoning_content }}{{ messages[0].thinking }}", "", #""""#),
        ] {
            let outcome = run("printf '%s' \(Command.quoted(template)) > t; echo '[{\"role\": \"user\", \"content\": \"c\"}]' | uf-tokenize render --template t \(options)")
            #expect(text(outcome) == expected + "\n" && outcome.status == 0, "\(template): \(text(outcome))\(outcome.errors)")
        }
    }

    @Test func errorsAreOneLine() {
        for (script, status, message) in [
            ("uf-tokenize render --template nothing chats.jsonl", 66, "uf-tokenize: nothing: cannot be opened for reading: No such file or directory"),
            ("uf-tokenize render --template bare chats.jsonl", 65, "uf-tokenize: bare: holds no chat template (neither chat_template.jinja nor chat_template in tokenizer_config.json); give one by its file or name"),
            ("uf-tokenize render --template - chats.jsonl", 64, "uf-tokenize: --template"), ("uf-tokenize render --template model --vars '[1]' chats.jsonl", 64, "uf-tokenize: --vars takes a JSON object"),
            ("uf-tokenize render --template model --vars '{\"messages\": []}' chats.jsonl", 64, "uf-tokenize: --vars cannot set messages"), ("uf-tokenize render --template model --date 2024-02-30 chats.jsonl", 64, "uf-tokenize: --date takes a day"),
            ("echo '{% if %}' > t; uf-tokenize render --template t chats.jsonl", 65, "uf-tokenize: t: line 1, column 7: found %}, expected an expression"),
            ("echo '{{ raise_exception(\"no\") }}' > t; uf-tokenize render --template t chats.jsonl", 65, "uf-tokenize: chats.jsonl: line 1: t: line 1, column 19: the template refuses this: no"),
            ("echo '{% set n = namespace(s=\"ab\") %}{% for x in range(99999) %}{% set n.s = n.s + n.s %}{% endfor %}' > t; uf-tokenize render --template t chats.jsonl", 65, "uf-tokenize: chats.jsonl: line 1: t: line 1, column 76: the template copies text without end"),
            ("echo '[{}, 1]' | uf-tokenize render --template model", 65, "uf-tokenize: standard input: line 1: messages[1] is 1, expected an object with role and content"),
            ("echo 1 | uf-tokenize render --template model", 65, "uf-tokenize: standard input: line 1: found 1, expected an array of messages or an object with messages"),
            ("echo '{\"m\": 1}' | uf-tokenize render --template model", 65, "uf-tokenize: standard input: line 1: messages is missing, expected an array of messages"),
            ("echo '[{\"role\": \"user\", \"content\": \"a\", \"role\": \"system\"}]' | uf-tokenize render --template model", 65, "uf-tokenize: standard input: line 1: the key \"role\" stands twice in one object"),
            ("echo '{\"messages\": [], \"tools\": [{\"a\": {\"b\": 1, \"b\": 1}}]}' > twice; uf-tokenize render --template model twice", 65, "uf-tokenize: twice: line 1: the key \"b\" stands twice in one object"),
            ("echo '[{' | uf-tokenize render --template model", 65, "uf-tokenize: standard input: line 1, column "),
            ("uf-convert \"$RAW\" 2>told | uf-tokenize --tokenizer bare --template auto", 65, "uf-tokenize: bare: there is no chat template beside the vocabulary"),
            ("uf-convert \"$RAW\" 2>told | uf-tokenize --tokenizer model --template chatml --vars '{}'", 64, "uf-tokenize: --vars and --date go with a model's own template"),
            ("uf-convert \"$RAW\" 2>told | uf-tokenize --tokenizer model --template zephyr", 65, "uf-tokenize: template zephyr needs the token </s>, which model/tokenizer.json lacks"),
            ("uf-convert \"$RAW\" 2>told | uf-tokenize --tokenizer model --template $T/alternating.jinja", 65, "uf-tokenize: \(Fixtures.path("templates/alternating.jinja")): uses bos_token, which the model's files do not name"),
            ("echo '{{ messages[0].content }}' > t; uf-convert \"$RAW\" 2>told | uf-tokenize --tokenizer model --template ./t -o x.uf", 65, "uf-tokenize: record "),
        ] {
            let outcome = run(script)
            #expect(outcome.status == status && outcome.output.isEmpty && outcome.errors.hasPrefix(message) && outcome.errors.count(where: { $0 == "\n" }) == 1, "\(script): \(outcome.status) \(outcome.errors)")
        }
    }

    /// The model's own template, by auto, by its file, and written in Swift: the same tokens; what explain prints makes the stream again.
    @Test func recordsByTheModelsTemplate() throws {
        let made = run(
            """
            cat > own.jinja <<'END'
            {% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
            END
            uf-convert "$RAW" -o rated.uf 2>told
            uf-tokenize rated.uf --tokenizer model --template chatml -o chatml.uf 2>told; uf-tokenize rated.uf --tokenizer model --template ./own.jinja -o own.uf 2>told
            uf-records view chatml.uf > a; uf-records view own.uf > b; cmp a b && test -s a
            cp own.jinja model/chat_template.jinja; uf-tokenize rated.uf --tokenizer model --template auto -j 3 -o auto.uf 2>told; cmp own.uf auto.uf
            uf-tokenize rated.uf --tokenizer model --template auto --system 'Be "brief".' --vars '{"z": [1, "it'"'"'s"], "a": null}' --date 2024-07-26 -o x.uf 2>told
            uf-records explain x.uf > \(Command.quoted(elsewhere.file("again.sh"))) && cat \(Command.quoted(elsewhere.file("again.sh")))
            """)
        #expect(made.status == 0 && made.errors.isEmpty, "\(made.errors)")
        #expect(text(made).contains("--template \"$TEMPLATE1\""), "\(text(made))")
        let again = Command.shell("bash again.sh 2>told > y.uf; cmp y.uf \(Command.quoted(folder.file("x.uf")))", in: elsewhere.path, environment: [
            "INPUT1": Fixtures.path("ultrafeedback/odd.jsonl"), "TOKENIZER1": folder.file("model/tokenizer.json"), "TEMPLATE1": folder.file("own.jinja"),
        ])
        #expect(again.status == 0, "\(text(made))\(again.errors)")
    }
}
