import JSON

/// Which prompts were seen: finds a new one that is the same as an earlier one, or similar to it.
///
/// The first of equals stays, in the order of the input, so the result is the same for any number of threads. Memory: some 40 bytes a prompt for exact
/// duplicates; for near ones 4 bytes a shingle (at most 4 KiB) and 400 for the bands.
public struct DuplicateIndex {
    public enum Mode: String, Sendable, CaseIterable {
        /// The same words.
        case exact
        /// A Jaccard similarity of word 3-grams of at least `threshold`, equal words included.
        case near
    }

    public static let threshold = 0.8

    public let mode: Mode
    private var digests: [SIMD2<UInt64>: Int] = [:]
    private var shingles: [[UInt32]] = []
    /// By band: key to the latest prompt that has it; `earlier` leads on to the ones before.
    private var heads: [[UInt64: UInt32]]
    private var earlier: [[UInt32]]
    private static let none = UInt32.max

    public init(_ mode: Mode) {
        self.mode = mode
        heads = mode == .near ? Array(repeating: [:], count: MinHash.bands) : []
        earlier = mode == .near ? Array(repeating: [], count: MinHash.bands) : []
    }

    /// Prompts that were added.
    public private(set) var count = 0

    public struct Match: Sendable, Equatable {
        /// Number of the earlier prompt, from 0 in the order in which they were added.
        public var prompt: Int
        public var similarity: Double
    }

    /// The most similar earlier prompt that makes this one a duplicate, the first of equally similar ones; nil when there is none.
    /// - Parameter bandKeys: of `MinHash`, for near duplicates; made here when absent.
    public func match(_ sketch: PromptSketch, bandKeys: [UInt64]? = nil) -> Match? {
        if let known = digests[sketch.digest] { return Match(prompt: known, similarity: 1) }
        return mode == .near ? mostSimilar(sketch, bandKeys ?? MinHash.bandKeys(sketch.shingles)) : nil
    }

    /// The same; where there is none, the prompt is added.
    public mutating func addUnlessKnown(_ sketch: PromptSketch, bandKeys: [UInt64]? = nil) -> Match? {
        let keys = mode == .near ? bandKeys ?? MinHash.bandKeys(sketch.shingles) : []
        if let match = match(sketch, bandKeys: keys) { return match }
        add(sketch, keys)
        return nil
    }

    private func mostSimilar(_ sketch: PromptSketch, _ keys: [UInt64]) -> Match? {
        var best: Match?, seen: Set<UInt32> = []
        for (band, key) in keys.enumerated() {
            var candidate = heads[band][key] ?? DuplicateIndex.none
            while candidate != DuplicateIndex.none {
                if seen.insert(candidate).inserted {
                    let similarity = sketch.similarity(PromptSketch(digest: .zero, shingles: shingles[Int(candidate)]))
                    if similarity >= DuplicateIndex.threshold, best.map({ similarity > $0.similarity || similarity == $0.similarity && Int(candidate) < $0.prompt }) ?? true {
                        best = Match(prompt: Int(candidate), similarity: similarity)
                    }
                }
                candidate = earlier[band][Int(candidate)]
            }
        }
        return best
    }

    /// Adds a prompt of which it is known that no earlier one is equal.
    mutating func add(_ sketch: PromptSketch, _ keys: [UInt64]) {
        digests[sketch.digest] = count
        if mode == .near {
            shingles.append(sketch.shingles)
            for (band, key) in keys.enumerated() { earlier[band].append(heads[band].updateValue(UInt32(count), forKey: key) ?? DuplicateIndex.none) }
        }
        count += 1
    }
}

extension DuplicateIndex {
    /// What near duplicates are found with.
    static var parametersJSON: JSONValue {
        .object([
            ("shingle_words", JSONValue(PromptSketch.shingleWords)), ("bands", JSONValue(MinHash.bands)), ("rows", JSONValue(MinHash.rows)), ("similarity", .number(threshold)),
        ])
    }

    /// The same for people.
    public static var parameters: String {
        "near: Jaccard similarity of word \(PromptSketch.shingleWords)-grams of at least \(threshold), by MinHash in \(MinHash.bands) bands of \(MinHash.rows)"
    }
}
