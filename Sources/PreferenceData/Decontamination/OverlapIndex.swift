import BenchmarkData
import InputFiles
import JSON
import SystemIO

/// All runs of words that texts under examination must not hold (see `Decontamination`), by hash. What a hash finds is compared with the words themselves.
///
/// Memory: the words with small letters, 4 bytes a word, and at most 24 bytes a run: for the six benchmarks (30 MB of published files) about 120 MB at the
/// most.
struct OverlapIndex: Sendable {
    /// N of the N-grams.
    static let runLength = 13
    /// A shorter text is nobody's own: see `Decontamination`.
    static let shortestText = 8
    /// So that positions fit 32 bits; a hundred times all benchmarks there are.
    static let mostBytes = 1 << 30

    struct Document: Sendable {
        var benchmark: Benchmark
        var place: RecordPlace
    }

    /// Words of an examined text that stand in a document.
    struct Overlap {
        var document: Document
        var words: Text
    }

    private var words = WordSequence()
    private var documents: [Document] = []
    /// Which words make one text of which document; in order of the words.
    private var texts: [(words: Range<Int>, document: Int)] = []
    /// One for each length of runs, longest first.
    private var tables: [RunTable] = []
    /// Tests make hashes collide with it.
    private let hashMask: UInt64

    init(hashMask: UInt64 = .max) { self.hashMask = hashMask }

    /// Throws when there is too much text.
    mutating func add(_ document: some BenchmarkDocument) throws {
        documents.append(Document(benchmark: type(of: document).benchmark, place: document.place))
        for text in document.questionTexts { add(text, atLeast: OverlapIndex.shortestText) }
        for text in document.answerTexts { add(text, atLeast: OverlapIndex.runLength) }
        guard words.bytes.count <= OverlapIndex.mostBytes else {
            throw InputError("\(document.place): the benchmarks have more than \(OverlapIndex.mostBytes) bytes of text, the most that is compared")
        }
    }

    private mutating func add(_ text: Text, atLeast shortest: Int) {
        let sequence = WordSequence(text)
        guard sequence.count >= shortest else { return }
        let start = words.count
        words.append(sequence)
        texts.append((start ..< words.count, documents.count - 1))
    }

    /// Call it after the last document, before the first look-up.
    mutating func finish() {
        let hashes = RunHashes(words)
        let byLength = Dictionary(grouping: texts) { min($0.words.count, OverlapIndex.runLength) }
        tables = byLength.sorted { $0.key > $1.key }.map { length, texts in
            let starts = texts.map { $0.words.lowerBound ... $0.words.upperBound - length }
            var table = RunTable(length: length, capacity: starts.reduce(0) { $0 + $1.count }, hashMask: hashMask)
            for start in starts.joined() { table.insert(start, hashes, words) }
            return table
        }
    }

    private func text(of word: Int) -> (words: Range<Int>, document: Int) {
        var low = 0, high = texts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if texts[middle].words.lowerBound <= word { low = middle } else { high = middle }
        }
        return texts[low]
    }

    /// The first run of words in `text` that a document holds: of several that begin at one word the longest.
    func firstOverlap(in text: Text) -> Overlap? {
        guard let shortest = tables.last?.length else { return nil }
        let sequence = WordSequence(text)
        guard sequence.count >= shortest else { return nil }
        let hashes = RunHashes(sequence)
        var first: (words: Range<Int>, known: Int)?
        for table in tables {
            let found = table.first(sequence, hashes, before: first?.words.lowerBound ?? sequence.count, in: words)
            if let found { first = (found.start ..< found.start + table.length, found.known) }
        }
        return first.map { Overlap(document: documents[self.text(of: $0.known).document], words: sequence.text(of: $0.words)) }
    }
}
