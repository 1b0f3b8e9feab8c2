import JSON
import TestSupport

/// Preference data: the text of one input, or what an archive holds, or a record map.
struct RecordsMutant {
    /// What the command is given.
    let bytes: [UInt8]
    let origin: String
    /// The file for --map, where there is one.
    let map: [UInt8]?
    let isArchive: Bool

    init(_ corpus: Corpus, archived: Bool, _ generator: inout SeededGenerator) {
        isArchive = archived
        let strangers = corpus.sources.flatMap(\.lines)
        guard archived || !generator.once(in: 12) else {
            map = generator.once(in: 4) ? corpus.mapped.map
                : TextMutator.mutated(corpus.mapped.map, strangers: [corpus.mapped.map] + corpus.mapped.lines, &generator)
            bytes = TextMutator.lines(of: corpus.mapped.lines, strangers: strangers, &generator)
            origin = "forum.jsonl and its map"
            return
        }
        map = nil
        let source = generator.pick(corpus.sources)
        let text = TextMutator.lines(of: source.lines, strangers: strangers, isArray: source.name.hasSuffix(".json"), &generator)
        guard archived else {
            (bytes, origin) = (text, source.name)
            return
        }
        let format = generator.pick([ArchiveMaker.Format.raw, .raw, .tar, .zip, .sevenZip])
        let filter: ArchiveMaker.Filter = switch format {
        case .raw: generator.pick([.gzip, .bzip2, .xz, .zstd])
        case .tar: generator.pick(ArchiveMaker.Filter.allCases)
        default: .none
        }
        var members = [("a.jsonl", text)]
        if format != .raw, generator.once(in: 2) { members.append(("b/c.jsonl", generator.pick(corpus.sources).lines[0] + [0x0A])) }
        if format != .raw, generator.once(in: 5) { members.insert(("folder/", []), at: 0) }
        let archive = ArchiveMaker.make(format, filter, members)
        bytes = generator.once(in: 4) ? archive : ByteMutator.damaged(archive, &generator)
        origin = "\(source.name) in \(format), \(filter.rawValue)"
    }
}
