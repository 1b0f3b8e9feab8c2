import Glibc
import TestSupport
import Testing

/// What uf-train writes is a model folder to transformers too: it loads there and gives each response the log-probability that uf-eval score gives it.
@Suite struct TrainedFolderTests {
    /// A Python that has torch and transformers: UFTOOLS_PYTHON as it stands, else `python3` where it has them.
    static let python: String? = {
        if let chosen = getenv("UFTOOLS_PYTHON") { return String(cString: chosen) }
        return Command.shell("python3 -c 'import torch, transformers'", in: "/").status == 0 ? "python3" : nil
    }()

    /// How to come by the model to start from: grouped-query decoders, tied and untied.
    enum Start: String, CaseIterable {
        /// 8 heads on 4, tied, 5 layers.
        case stories260K = "cp -r fixtures/models/stories260K"
        /// 4 heads on 2, tied, from Q4_1.
        case tied = "uf-train import fixtures/gguf/import-smollm.gguf -o"
        /// 2 heads on 1, untied, from F16.
        case untied = "uf-train import fixtures/gguf/import-gpt-2.gguf -o"
        /// The same with heads of 64 on a hidden size of 32 and the rotary scaling of Llama 3, from BF16.
        case scaled = "uf-train import fixtures/gguf/import-llama-bpe.gguf -o"
    }

    @Test(.enabled(if: python != nil, "needs a Python with torch and transformers: set UFTOOLS_PYTHON to one"), arguments: Start.allCases)
    func loadsInTransformersWithTheSameLogProbs(start: Start) throws {
        let folder = TemporaryFolder(), python = Command.quoted(try #require(Self.python))
        #expect(Command.shell("\(start.rawValue) \(folder.file("model"))", in: repositoryRoot).status == 0)
        let made = Command.shell(
            """
            zcat \(Fixtures.path("ultrafeedback/binarized.jsonl.gz")) | head -12 | uf-convert | uf-tokenize --tokenizer model --template plain |
              uf-pack --max-length 240 --max-tokens 512 -o packed.uf &&
              uf-train model --data packed.uf --epochs 2 --batch 4 --learning-rate 1e-3 -o trained &&
              uf-eval score packed.uf --model trained -o trained.uf && uf-eval score packed.uf --model model -o start.uf
            """, in: folder.path)
        #expect(made.status == 0, "\(made.errors)")
        func check(_ logProbs: String) -> Command.Outcome {
            Command.shell("\(python) \(Command.quoted(repositoryRoot))/pipelines/python/check_trained_folder.py trained packed.uf \(logProbs) --bins 1000",
                          in: folder.path, environment: ["HF_HUB_OFFLINE": "1"])
        }
        let same = check("trained.uf"), said = String(decoding: same.output, as: UTF8.self)
        #expect(same.status == 0 && said.hasPrefix("24 responses, "), "\(said)\(same.errors)")
        print("\(start): \(said)", terminator: "")
        // Before the few steps the model was another one, and the check sees that; once is enough, because starting Python takes most of the time.
        if start == .stories260K { #expect(check("start.uf").status == 1) }
    }
}
