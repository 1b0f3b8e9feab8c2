import Glibc
import JSON
import SystemIO
import Testing
import TestSupport
@testable import ModelFiles

@Suite struct ModelFolderTests {
    private let folder = TemporaryFolder()
    private var target: String { folder.file("model") }
    private let config: JSONValue = ["model_type": "llama", "dtype": "bfloat16", "hidden_size": 2]

    private func write(_ path: String, values: [Float] = [1, 2], _ more: (ModelFolderWriter) throws -> Void = { _ in }) throws {
        let writer = try ModelFolderWriter(path: path)
        try writer.write(config: config)
        try writer.write(weights: [TensorSource(name: "w", shape: [2], values: values)])
        try more(writer)
        try writer.finish()
    }

    private func makeFolder(_ name: String, _ files: [String: [UInt8]]) throws -> String {
        let path = folder.file(name)
        #expect(mkdir(path, 0o777) == 0)
        for (file, bytes) in files { try put(bytes, path + "/" + file) }
        return path
    }

    private func names(_ path: String) -> [String] {
        var names: [String] = []
        guard let stream = opendir(path) else { return ["(not a folder)"] }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            names.append(withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } })
        }
        return names.filter { $0 != "." && $0 != ".." }.sorted()
    }

    // MARK: reading

    @Test func opensAPublishedLayout() throws {
        let model = try ModelFolder(path: Fixtures.path("gradients/tiny-tied/reference"))
        #expect(model.config["hidden_size"] == 32)
        #expect(try model.weights.entry("model.norm.weight", shape: [32]).type == .f32)
        #expect(message { try model.weights.entry("model.norm.weight", shape: [64]) } == model.weights.path + ": the tensor model.norm.weight has shape [32]; config.json asks for [64]")
        #expect(message { try model.weights.entry("x", shape: [64]) } == model.weights.path + ": the tensor x is missing; config.json asks for it with shape [64]")
        #expect(message { try model.weights.floats("x") } == model.weights.path + ": the tensor x is missing")
        #expect(message { _ = try model.tokenizerFiles.requireVocabulary() } == model.path + ": holds no tokenizer.json (nor encoder.json with vocab.bpe, vocab.json with merges.txt, tokenizer.model, qwen.tiktoken); a model folder with its tokenizer was expected")
    }

    @Test func namesWhatIsMissingOrDamaged() throws {
        #expect(message { try ModelFolder(path: folder.file("none")) } == folder.file("none/config.json") + ": cannot be opened for reading: No such file or directory")
        let path = try makeFolder("m", ["config.json": Array("[]".utf8)])
        #expect(message { try ModelFolder(path: path) } == path + "/config.json: is an array; an object was expected")
        try put(Array(#"{"a":1,"a":2}"#.utf8), path + "/config.json")
        #expect(message { try ModelFolder(path: path) } == path + "/config.json: the key \"a\" stands twice in one object")
        try put(Array("{\n".utf8), path + "/config.json")
        #expect(message { try ModelFolder(path: path) } == path + "/config.json: line 2, column 1: expected a key in double quotes, found the end")
        try put(Array("{}".utf8), path + "/config.json")
        #expect(message { try ModelFolder(path: path) } == path + ": holds neither model.safetensors nor model.safetensors.index.json; a model folder in the Hugging Face layout was expected (uf-train import makes one from a GGUF)")
    }

    private func shard(_ tensors: [(String, Float)]) throws -> [UInt8] {
        let sink = MemorySink()
        try SafetensorsWriter.write(tensors.map { TensorSource(name: $0.0, shape: [1], values: [$0.1]) }, to: sink)
        return sink.bytes
    }

    @Test func shardsAreOneCollection() throws {
        let index = Array(#"{"metadata":{"total_size":12},"weight_map":{"a":"one.safetensors","c":"one.safetensors","b":"two.safetensors"}}"#.utf8)
        let path = try makeFolder("m", ["config.json": Array("{}".utf8), "model.safetensors.index.json": index, "one.safetensors": try shard([("a", 1), ("c", 3)]), "two.safetensors": try shard([("b", 2)])])
        let model = try ModelFolder(path: path)
        #expect(model.weights.tensors.map(\.name) == ["a", "b", "c"])
        #expect(try ["a", "b", "c"].map { try model.weights.floats($0) } == [[1], [2], [3]])
        // The same model in one file has the same digest; another value has another.
        let whole = try makeFolder("w", ["config.json": Array("{ }".utf8), "model.safetensors": try shard([("a", 1), ("b", 2), ("c", 3)])])
        let other = try makeFolder("o", ["config.json": Array("{}".utf8), "model.safetensors": try shard([("a", 1), ("b", 2), ("c", 4)])])
        let configured = try makeFolder("p", ["config.json": Array(#"{"x":1}"#.utf8), "model.safetensors": try shard([("a", 1), ("b", 2), ("c", 3)])])
        #expect(try model.digest() == ModelFolder(path: whole).digest() && model.digest().count == 32)
        #expect(try model.digest() != ModelFolder(path: other).digest())
        #expect(try model.digest() != ModelFolder(path: configured).digest())
    }

    @Test func shardsThatDoNotBelongTogetherAreRefused() throws {
        func refused(_ map: String) throws -> String {
            try put(Array(#"{"weight_map":\#(map)}"#.utf8), folder.file("m/model.safetensors.index.json"))
            return message { try TensorCollection(folder: folder.file("m")) }.replacing(folder.file("m") + "/", with: "")
        }
        _ = try makeFolder("m", ["one.safetensors": try shard([("a", 1)]), "two.safetensors": try shard([("b", 2)])])
        #expect(try refused(#"{"a":"one.safetensors"}"#) == "(no error)")
        #expect(try refused("[]") == "model.safetensors.index.json: weight_map should be an object from tensor names to files")
        #expect(try refused("{}") == "model.safetensors.index.json: weight_map should be an object from tensor names to files")
        #expect(try refused(#"{"a":1}"#) == "model.safetensors.index.json: weight_map places a in a number; the name of a file in the same folder was expected")
        for name in ["../one.safetensors", "/etc/passwd", ".hidden", "", "a\\u0000b"] {
            #expect(try refused(#"{"a":"\#(name)"}"#).hasPrefix("model.safetensors.index.json: weight_map places a in \""), "\(name)")
        }
        #expect(try refused(#"{"a":"one.safetensors","b":"one.safetensors"}"#) == "model.safetensors.index.json: places the tensor b in one.safetensors, which does not hold it: the shards do not belong together")
        #expect(try refused(#"{"c":"one.safetensors"}"#) == "one.safetensors: holds the tensor a, which model.safetensors.index.json places nowhere: the shards do not belong together")
        #expect(try refused(#"{"a":"two.safetensors","b":"two.safetensors"}"#) == "model.safetensors.index.json: places the tensor a in two.safetensors, which does not hold it: the shards do not belong together")
        #expect(try refused(#"{"a":"three.safetensors"}"#) == "three.safetensors: cannot be opened for reading: No such file or directory")
    }

    @Test func findsTheSpecialTokens() throws {
        let path = try makeFolder("m", [:]), files = TokenizerFiles(folder: path), file = path + "/tokenizer_config.json"
        func configured(_ json: String) throws -> [TokenizerFiles.SpecialToken] {
            try put(Array(json.utf8), file)
            let (beginning, ending) = try files.specialTokens()
            return [beginning, ending]
        }
        #expect(try files.specialTokens() == (.unsaid, .unsaid))
        #expect(try configured("{}") == [.unsaid, .unsaid])
        #expect(try configured(#"{"bos_token":null,"eos_token":{"content":"</s>","lstrip":false},"model_max_length":1000000000000000019884624838656}"#) == [.null, .named("</s>")])
        #expect(try configured(#"{"bos_token":"<s>"}"#) == [.named("<s>"), .unsaid])
        #expect(message { try configured("[]") } == file + ": is an array; an object was expected")
        #expect(message { try configured("7") } == file + ": is 7; an object was expected")
        let expected = "; expected a string, an object with the string \"content\", or null"
        #expect(message { try configured(#"{"bos_token":1}"#) } == file + ": bos_token is 1" + expected)
        #expect(message { try configured(#"{"eos_token":[2]}"#) } == file + ": eos_token is an array" + expected)
        #expect(message { try configured(#"{"eos_token":{"content":3}}"#) } == file + ": eos_token is an object whose content is 3" + expected)
        #expect(message { try configured(#"{"eos_token":{}}"#) } == file + ": eos_token is an object whose content is missing" + expected)
    }

    @Test func findsTheContextLength() throws {
        let path = try makeFolder("m", [:]), files = TokenizerFiles(folder: path), file = path + "/config.json"
        #expect(try files.contextLength() == nil)
        func configured(_ json: String) throws -> Int? {
            try put(Array(json.utf8), file)
            return try files.contextLength()
        }
        #expect(try configured("{}") == nil && configured(#"{"max_position_embeddings":null}"#) == nil)
        #expect(try configured(#"{"max_position_embeddings":2048}"#) == 2048)
        #expect(message { try configured("[]") } == file + ": is an array; an object was expected")
        for (value, shown) in [("\"2048\"", "a string"), ("0", "0"), ("-1", "-1"), ("2048.5", "2048.5"), ("true", "a boolean"), ("[2048]", "an array")] {
            #expect(message { try configured(#"{"max_position_embeddings":\#(value)}"#) } == file + ": max_position_embeddings is \(shown); expected a whole number from 1")
        }
    }

    @Test func findsTheChatTemplate() throws {
        let path = try makeFolder("m", [:]), files = TokenizerFiles(folder: path)
        #expect(try files.chatTemplateSource()?.text == nil)
        func configured(_ json: String) throws -> Text? {
            try put(Array(json.utf8), path + "/tokenizer_config.json")
            return try files.chatTemplateSource().map { Text($0.text) }
        }
        #expect(try configured("{}") == nil && configured(#"{"chat_template":null}"#) == nil)
        #expect(try configured(#"{"chat_template":"A"}"#) == "A" as Text?)
        #expect(try configured(#"{"chat_template":[{"name":"tool","template":"T"},{"name":"default","template":"D"}]}"#) == "D" as Text?)
        #expect(try configured(#"{"chat_template":[{"name":"tool","template":"T"}]}"#) == nil)
        #expect(message { try configured(#"{"chat_template":1}"#) } == path + "/tokenizer_config.json: chat_template is a number; a string or a list of named templates was expected")
        #expect(message { try configured(#"{"chat_template":[{"name":"default"}]}"#) } == path + "/tokenizer_config.json: the chat_template named default has no template")
        try put(Array("B\n".utf8), path + "/chat_template.jinja")
        #expect(try files.chatTemplateSource().map { Text($0.text) } == "B\n" as Text?)
    }

    // MARK: writing

    @Test func writesAFolderWholeAndReplacesItsOwn() throws {
        let source = try makeFolder("source", ["tokenizer.json": [1], "LICENSE": [2], "chat_template.jinja": [3], "notes.txt": [4], "generation_config.json": [5]])
        try write(target) { writer in
            #expect(!self.folder.contents.contains("model"))
            try writer.write(file: "generation_config.json", ["a": 1])
            try writer.copySideFiles(from: source)
        }
        #expect(names(target) == ["LICENSE", "chat_template.jinja", "config.json", "generation_config.json", "model.safetensors", "tokenizer.json"])
        #expect(try readWholeFile(target + "/tokenizer.json") == [1] && readWholeFile(target + "/generation_config.json") == Array("{\n  \"a\": 1\n}\n".utf8))
        let model = try ModelFolder(path: target)
        #expect(model.config == ["model_type": "llama", "dtype": "float32", "hidden_size": 2])
        #expect(try model.weights.floats("w") == [1, 2])
        // Again: the old one is gone as a whole, and nothing is left beside.
        try write(target + "/", values: [3, 4])
        #expect(names(target) == ["config.json", "model.safetensors"])
        #expect(try ModelFolder(path: target).weights.floats("w") == [3, 4])
        #expect(folder.contents == ["model", "source"])
        // What was mapped before stays readable.
        #expect(try model.weights.floats("w") == [1, 2])
    }

    @Test func aFolderThatIsDroppedLeavesNothing() throws {
        try write(target)
        do {
            let writer = try ModelFolderWriter(path: target)
            try writer.write(config: config)
            #expect(message { try writer.finish() } == target + ": model.safetensors was not written")
            #expect(message { try writer.write(config: config) } == target + ": config.json cannot be written into it, or is already")
            #expect(message { try writer.write(file: "../x", [1]) } == target + ": ../x cannot be written into it, or is already")
        }
        #expect(folder.contents == ["model"])
        #expect(try ModelFolder(path: target).weights.floats("w") == [1, 2])
    }

    @Test func replacesOnlyWhatWasWrittenHere() throws {
        let foreign = try makeFolder("foreign", ["config.json": Array("{}".utf8), "model.safetensors": try shard([("a", 1)])])
        #expect(message { try write(foreign) } == foreign + ": exists and is no model folder written by uftools, so it is not replaced; choose another name or remove it")
        #expect(try TensorCollection(folder: foreign).floats("a") == [1])
        let other = try makeFolder("other", ["notes.txt": [1]])
        #expect(message { try write(other) } == other + ": exists and is no model folder written by uftools, so it is not replaced; choose another name or remove it")
        try write(target)
        try put([1], target + "/notes.txt")
        #expect(message { try write(target) } == target + ": holds notes.txt, which is no part of a model folder, so it is not replaced; move that away or choose another name")
        #expect(names(target) == ["config.json", "model.safetensors", "notes.txt"])
        try put([1], folder.file("file"))
        #expect(message { try write(folder.file("file")) } == folder.file("file") + ": is not a folder, and a model is written as a folder; choose another name")
        #expect(message { try write(folder.file("no/such/place")) } == folder.file("no/such/place") + ": cannot be created: No such file or directory")
        let empty = try makeFolder("empty", [:])
        try write(empty)
        #expect(names(empty) == ["config.json", "model.safetensors"])
        #expect(symlink(target, folder.file("link")) == 0 && unlink(target + "/notes.txt") == 0)
        try write(folder.file("link"), values: [7, 8])
        #expect(try ModelFolder(path: target).weights.floats("w") == [7, 8])
        #expect(folder.contents == ["empty", "file", "foreign", "link", "model", "other"])
    }

    @Test func refusesWhatIsNoConfiguration() throws {
        let writer = try ModelFolderWriter(path: target)
        #expect(message { try writer.write(config: [1]) } == target + ": the configuration is an array; an object was expected")
        #expect(message { try writer.write(config: ["x": .number(.nan)]) } == target + ": config.json: JSON has no number for nan")
    }

    /// Computed apart, by hashlib over the parts that `digest` documents.
    @Test func theDigestIsTheDocumentedOne() throws {
        let digest = try ModelFolder(path: Fixtures.path("gradients/tiny-tied/reference")).digest()
        #expect(digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() == "f2935bcac7479c879e1df24f780880c15fdbb9d9ed2b71b6c4f0a68578b6aa56")
    }

    @Test func writesTheSameBytesTwice() throws {
        try write(target)
        let first = try ["config.json", "model.safetensors"].map { try readWholeFile(target + "/" + $0) }
        try write(folder.file("again"))
        #expect(try ["config.json", "model.safetensors"].map { try readWholeFile(folder.file("again") + "/" + $0) } == first)
    }
}
