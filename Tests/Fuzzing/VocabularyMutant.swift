import TestSupport

/// A vocabulary with one of its files damaged.
struct VocabularyMutant {
    let sample: VocabularySample
    /// The damaged file.
    let bytes: [UInt8]
    let origin: String

    init(_ corpus: Corpus, _ generator: inout SeededGenerator) {
        // Ranks are as many as a published model's: one of them takes as long as hundreds of the others.
        let samples = corpus.vocabularies, isLarge = generator.once(in: 50)
        let whole = generator.pick(samples.filter { ($0.form == "ranks") == isLarge }), file = generator.below(whole.files.count)
        let other = generator.pick(samples.filter { $0.form != "ranks" }).files[0].bytes
        var damaged = whole.damaged(file) { bytes in
            if generator.once(in: 25) { return other }
            if bytes.first == UInt8(ascii: "{"), !generator.once(in: 3) { return TextMutator.mutated(bytes, strangers: [other], &generator) }
            if generator.once(in: 3) { return ByteMutator.damaged(bytes, &generator) }
            var once = bytes
            ByteMutator.damage(&once, &generator)
            return once
        }
        if generator.once(in: 12) { damaged.family = generator.pick([nil, "gpt2", "llama3", "qwen2.5"]) }
        sample = damaged
        bytes = damaged.files[file].bytes
        origin = "\(whole.form), \(whole.files[file].name)" + (damaged.family.map { " as \($0)" } ?? "")
    }
}
