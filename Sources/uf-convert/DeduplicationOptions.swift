import ArgumentParser
import CommandSupport
import PreferenceData
import SystemIO

/// Prompts that stand twice, in one release or in several.
struct DeduplicationOptions: ParsableArguments {
    @Option(help: ArgumentHelp(
        """
        Leave out records whose prompt an earlier record has: exact (the same words, whatever their case, punctuation and spacing) or near (a Jaccard \
        similarity of word 3-grams of at least \(DuplicateIndex.threshold), found by MinHash in \(MinHash.bands) bands of \(MinHash.rows)). The first \
        of them stays. Of a split each part is looked through by itself, of shards all together.
        """, valueName: "mode"))
    var dedup: DuplicateIndex.Mode?

    @Option(help: ArgumentHelp(
        """
        With --dedup: leave out records whose prompt stands in this SQLite file, and enter the prompts of those that are kept, once the output is in \
        place; it is made when it is absent. The same inputs again have the same prompts before them as the first time, whatever other options, so \
        that they give the same stream. They are read twice, so they must be files.
        """, valueName: "file"), completion: .file())
    var dedupStore: String?

    @Option(help: ArgumentHelp(
        "Only read the store, as it was when its prompts had this digest, which stands in a stream's provenance; one that never had it is refused.",
        valueName: "digest"))
    var dedupStoreSha256: String?

    func validate() throws {
        try refuseDash([("--dedup-store", dedupStore)])
        if dedupStore != nil, dedup == nil { throw ValidationError("--dedup-store needs --dedup exact or near") }
        if dedupStoreSha256 != nil, dedupStore == nil { throw ValidationError("--dedup-store-sha256 needs --dedup-store FILE") }
    }

    /// - Parameter inputs: the operands.
    func store(_ inputs: [String]) throws -> PromptStore? {
        guard let dedupStore else { return nil }
        if let dedupStoreSha256 { return try PromptStore(reading: dedupStore, sha256: dedupStoreSha256) }
        return try PromptStore(updating: dedupStore, operands: inputs) {
            Console.error("uf-convert", "\(dedupStore): another process holds it; waiting for its end")
        }
    }
}
