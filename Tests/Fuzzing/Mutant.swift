import SystemIO
import TestSupport

/// What is mutated, and how it is read.
enum Family: String, CaseIterable {
    /// Preference data of all sources, as uf-convert reads it.
    case records
    /// The same inside archives and compression, whose bytes are mutated.
    case archives
    /// Files of vocabularies, as --tokenizer takes them.
    case vocabularies
    /// Lines that uf-records view shows, as uf-records import reads them.
    case lines
    /// Streams with damage that nobody covered up: refused without exception.
    case damaged
    /// Streams whose checksums, numbers and totals were all made right after the damage, mostly the digests too.
    case forged

    /// How many of a hundred mutants.
    var share: Int {
        switch self {
        case .records: 32
        case .archives: 8
        case .vocabularies: 8
        case .lines: 12
        case .damaged: 10
        case .forged: 30
        }
    }
}

/// An input made from a number: the same for the same number and fixtures.
struct Mutant: CustomStringConvertible {
    let seed: UInt64
    let family: Family
    let bytes: [UInt8]
    /// What it was made from.
    let origin: String
    private let handled: (_ folder: String) throws -> Outcome

    init(_ seed: UInt64, _ corpus: Corpus) {
        self.seed = seed
        var generator = SeededGenerator(seed: seed)
        var place = Int.random(in: 0 ..< 100, using: &generator), chosen = Family.records
        for family in Family.allCases {
            chosen = family
            place -= family.share
            if place < 0 { break }
        }
        family = chosen
        switch chosen {
        case .records, .archives:
            let text = RecordsMutant(corpus, archived: chosen == .archives, &generator)
            (bytes, origin) = (text.bytes, text.origin)
            let check = ConversionCheck(text, &generator)
            handled = { _ in try check.run() }
        case .vocabularies:
            let mutant = VocabularyMutant(corpus, &generator), check = VocabularyCheck(mutant)
            (bytes, origin) = (mutant.bytes, mutant.origin)
            handled = { try check.run(in: $0) }
        case .lines:
            let (head, lines) = corpus.views[generator.below(corpus.views.count)]
            let text = TextMutator.lines(of: lines, strangers: corpus.views.flatMap(\.lines), &generator)
            (bytes, origin) = (text, "lines of \(head.schema.kind) records")
            handled = { _ in try ImportCheck(head: head).run(text) }
        case .damaged:
            let stream = corpus.streams[generator.below(corpus.streams.count)], check = StreamCheck(stream, &generator)
            let damaged = ByteMutator.damaged(stream.bytes, &generator)
            (bytes, origin) = (damaged, stream.name)
            handled = { _ in try check.run(damaged, .damaged) }
        case .forged:
            let stream = corpus.streams[generator.below(corpus.streams.count)], check = StreamCheck(stream, &generator)
            let forgery = StreamForger.forged(stream.dissected, others: corpus.streams, &generator)
            (bytes, origin) = (forgery.bytes, "\(stream.name), digests \(forgery.digests)")
            handled = { _ in try check.run(forgery.bytes, forgery.digests == .kept ? .forgedWithoutDigests : .forged) }
        }
    }

    var description: String { "\(family.rawValue), from \(origin)" }

    /// - Parameter folder: an empty one, for what the library opens by name; empty again afterwards.
    func check(in folder: String) throws -> Outcome { try handled(folder) }

    var fileName: String { "mutant-\(seed)" }

    func write() throws {
        let file = try AtomicFile(path: fileName)
        try file.write(bytes)
        try file.finish()
    }
}
