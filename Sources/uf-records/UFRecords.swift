import ArgumentParser
import CommandSupport

struct UFRecords: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uf-records",
        abstract: "Look into record streams of any kind, compare, join, divide and reorder them.",
        discussion: HelpText.discussion(
            "A record stream (.uf) is what all commands of the suite exchange: rated, tokens, packed and logps records, with their provenance.",
            examples: [
                ("uf-records view rated.uf | head -3", "the first three records as JSON"),
                ("uf-records check --full *.uf", "read everything and find any damage"),
                ("uf-records explain packed.uf", "how to make the file again"),
                ("uf-records shuffle --seed 1 a.uf b.uf | uf-records split --parts 4 -o part-%.uf", "commands that write streams join in pipes"),
            ],
            statuses: [.done, .no, .usage, .invalidData, .missingInput, .cannotCreate, .ioError]),
        version: releaseVersion,
        subcommands: [
            View.self, Head.self, Check.self, Stats.self, Explain.self, Cat.self, Split.self, Merge.self, Sort.self, Shuffle.self, Digest.self, Diff.self, SalvageCommand.self, Import.self,
        ])
}
