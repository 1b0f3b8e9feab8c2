import TestSupport
import Testing

/// pipelines/python/packed_dataset.py: a PyTorch data set of packed streams, held to `uf-records view` and `uf-pack export`, and its batches to a model that reads each response by itself.
@Suite(.enabled(if: TrainedFolderTests.python != nil, "needs a Python with torch and transformers: set UFTOOLS_PYTHON to one")) struct PackedDatasetTests {
    private let folder = TemporaryFolder()

    /// A stream of each layout, one compressed, with prompts of their own and earlier answers that are learnt; and shards in a folder.
    init() {
        let made = run(
            """
            zcat '\(Fixtures.path("ultrafeedback/binarized.jsonl.gz"))' | head -9 | uf-convert -o rated.uf
            tokenize="uf-tokenize --tokenizer $MODEL --template plain"
            cat > chats.jsonl <<'END'
            {"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"},{"role":"user","content":"Bye"},{"role":"assistant","content":"See you"}]}
            {"messages":[{"role":"user","content":"One?"},{"role":"assistant","content":"Two"}]}
            END
            echo "{% for m in messages %}{{ m.role + ': ' + m.content + '</s>' }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}" > chat.jinja
            $tokenize rated.uf -o tokens.uf && uf-convert chats.jsonl | uf-tokenize --tokenizer $MODEL --template chat.jinja --loss-on assistant -o chats.tokens.uf
            uf-convert '\(Fixtures.path("sources/ultrafeedback-2023-08.jsonl"))' --system completion | $tokenize -o own.tokens.uf
            uf-pack tokens.uf --max-length 200 --max-tokens 500 -o shared-prefix.uf && uf-pack tokens.uf --max-length 200 --max-tokens 500 --layout pairs --codec zstd -o pairs.uf &&
              uf-pack own.tokens.uf --max-length 200 --layout rows16 -o rows16.uf && uf-pack own.tokens.uf --max-length 200 -o own.uf && uf-pack chats.tokens.uf --layout sft --max-length 200 -o sft.uf &&
              mkdir shards set && uf-records split --parts 3 shared-prefix.uf -o shards/x-%.uf &&
              uf-pack tokens.uf --max-length 200 --shards 2 -o set/a-%d-of-%d.uf && uf-pack tokens.uf --max-length 200 --shards 2 --append set/a.MANIFEST -o set/b-%d-of-%d.uf
            """)
        #expect(made.status == 0, "\(made.errors)")
    }

    private func run(_ script: String) -> Command.Outcome {
        Command.shell(script, in: folder.path, environment: [
            "MODEL": Fixtures.path("models/stories260K"), "PYTHON": TrainedFolderTests.python ?? "", "PYTHONPATH": repositoryRoot + "/pipelines/python", "PYTHONDONTWRITEBYTECODE": "1",
            "HF_HUB_OFFLINE": "1",
        ])
    }

    @Test func agreesWithViewExportAndModel() {
        let outcome = run("$PYTHON '\(repositoryRoot)/pipelines/python/check_packed_dataset.py' shared-prefix.uf pairs.uf own.uf rows16.uf sft.uf shards set --model $MODEL --bins 4")
        let lines = String(decoding: outcome.output, as: UTF8.self).split(separator: "\n")
        #expect(outcome.status == 0 && lines.count == 7 && lines.allSatisfy { $0.hasSuffix(" tokens have the log-probabilities that they have by themselves") }, "\(lines)\(outcome.errors)")
    }

    /// Every cut of a stream is refused when it is opened, a changed byte at the latest when its block is read, and streams of different settings.
    @Test func refusesWhatIsNotWhole() {
        let outcome = run(
            """
            mkdir empty
            $PYTHON -c '
            import random, record_stream
            from packed_dataset import PackedDataset
            def refusal(*paths):
                try:
                    data = PackedDataset(*paths)
                    for number in range(len(data)): data[number]
                except record_stream.Damaged as error: return str(error)
            whole = open("sft.uf", "rb").read()
            assert refusal("sft.uf") is None
            for length in range(0, len(whole), 7):
                open("x.uf", "wb").write(whole[:length])
                assert refusal("x.uf"), length
            spared, end = [], whole.rindex(b"INDX") - 8
            tail = range(whole.rindex(b"TAIL") - 8, end)
            for at in random.Random(1).sample(range(len(whole)), 300):
                open("x.uf", "wb").write(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1:])
                if not refusal("x.uf"): spared.append(at)
            assert all(at in tail for at in spared), spared    # the tail is not read
            print(refusal("sft.uf", "own.uf")); print(refusal("rated.uf")); print(refusal("empty"))
            print(refusal("set/a-0-of-2.uf", "set/b-0-of-2.uf", "set/b-1-of-2.uf")[-30:].strip())
            '
            """)
        #expect(outcome.status == 0 && String(decoding: outcome.output, as: UTF8.self) == """
            own.uf: its settings are not those of sft.uf
            rated.uf: a stream of rated records, expected packed
            empty: a folder without streams (*.uf)
            whole: shard 1 of 2 is missing

            """, "\(outcome.errors)")
    }
}
