import Glibc
import JSON
import SystemIO

/// A whole vocabulary in one of the forms that --tokenizer takes, as files: what mutants of vocabularies are made from.
public struct VocabularySample: Sendable, CustomStringConvertible {
    public var form: String
    /// One file, or the two of a pair, with names that tell the form where bytes do not.
    public var files: [(name: String, bytes: [UInt8])]
    /// What --tokenizer-family says, where the files leave it unsaid and their number of tokens is no published one.
    public var family: String?
    /// Where in a file damage is of interest.
    public var part: Range<Int>

    public init(form: String, files: [(name: String, bytes: [UInt8])], family: String? = nil, part: Range<Int> = 0 ..< .max) {
        (self.form, self.files, self.family, self.part) = (form, files, family, part)
    }

    public var description: String { form }

    /// Every form once, GGUF with both of its kinds of vocabulary, without its weights; and a SentencePiece model's end by itself, its specifications.
    public static func all() throws -> [VocabularySample] {
        func json(_ model: String) throws -> [UInt8] { try readWholeFile(Fixtures.path("gguf/import-\(model).tokenizer.json")) }
        let pair = try VocabularyForms.pair(JSON.parse(json("qwen2"))), pieces = try VocabularyForms.sentencePieces(JSON.parse(json("llama")))
        return [
            VocabularySample(form: "tokenizer.json", files: [("tokenizer.json", try json("llama-bpe"))]),
            VocabularySample(form: "pair", files: [("encoder.json", pair.encoder), ("vocab.bpe", pair.merges)], family: "qwen2"),
            VocabularySample(form: "ranks", files: [("t.tiktoken", VocabularyForms.ranks)]),
            VocabularySample(form: "SentencePiece", files: [("t.model", pieces)]),
            VocabularySample(form: "SentencePiece specifications", files: [("t.model", pieces)], part: pieces.count - 80 ..< .max),
        ] + (try ["llama", "smollm"].map { model in
            VocabularySample(
                form: "GGUF of \(model)", files: [("t.gguf", try readWholeFile(Fixtures.path("gguf/import-\(model).gguf")))], part: 0 ..< 9000)
        })
    }

    /// What a vocabulary is tried with: words, several scripts, digits and a special token.
    public static let text = Array("The dog's  été 漢 12 <|endoftext|>\n".utf8)

    /// With one of its files damaged, where `damage` gets the bytes that may be.
    public func damaged(_ file: Int, _ damage: ([UInt8]) -> [UInt8]) -> VocabularySample {
        var copy = self
        let bytes = files[file].bytes, part = part.clamped(to: bytes.indices)
        copy.files[file].bytes = bytes[..<part.lowerBound] + damage(Array(bytes[part])) + bytes[part.upperBound...]
        return copy
    }

    /// Writes the files into a folder; returns what --tokenizer takes.
    public func write(into folder: String) throws -> String {
        for (name, bytes) in files {
            let sink = FileSink(descriptor: open(folder + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0o644), name: folder + "/" + name, closes: true)
            try sink.write(bytes)
            try sink.finish()
        }
        return files.count > 1 ? folder : folder + "/" + files[0].name
    }
}
