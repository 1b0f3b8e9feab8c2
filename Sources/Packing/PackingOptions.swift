import JSON
import RecordStream
import SystemIO

/// Everything that decides the bytes of a packed stream, apart from its input.
public struct PackingOptions: Sendable, Equatable {
    public var layout: PackedLayout
    /// The most tokens of a prompt with any one of its responses: the model's context, or less.
    public var maxLength: Int
    /// A bin takes no further record that would bring it beyond this many tokens; a record that is larger alone has a bin of its own.
    public var maxTokens = PackingOptions.defaultMaxTokens
    /// The most records of a bin; nil: no limit but `maxTokens`.
    public var recordsPerBin: Int?
    /// How many unfinished bins are kept open for a record that fits: more fill better and hold more memory. 1 keeps the records' order.
    public var openBins = PackingOptions.defaultOpenBins
    public var truncation = Truncation.ours
    public var overlong = OverlongPolicy.cut
    /// rows16: adds 1e-10 to every target in `piTarget` without renormalising, as the paper's code does.
    public var paperEpsilon = false
    /// Layout pairs.
    public var pairs = PairRule.bestWorst
    /// Layout sft.
    public var answers = AnswerRule.best
    public var order = RecordOrder.input
    /// For `order` shuffled and grouped.
    public var seed: UInt64 = 0
    public var epoch: UInt64 = 0
    /// For `order` grouped: so many records one after the other are of similar length.
    public var group = PackingOptions.defaultGroup
    /// How many shards the records are divided among, of which this is one.
    public var shards = 1

    /// About three records of UltraFeedback (1,200 distinct tokens each): large enough for full matrix products, small enough for many bins a step.
    public static let defaultMaxTokens = 4096
    public static let defaultOpenBins = 64
    public static let defaultGroup = 16
    /// Longer than any context of today; below it no sum of lengths can overflow, and a bin stays below what a stream's record may hold.
    public static let largestLength = 1 << 20

    /// The defaults of a layout: the paper's rows go one record a bin, in order.
    public init(layout: PackedLayout = .sharedPrefix, maxLength: Int) {
        self.layout = layout
        self.maxLength = maxLength
        if layout == .rows16 {
            recordsPerBin = 1
            openBins = 1
        }
    }

    /// Refuses what cannot be meant; the error's status is `usage`.
    public func validate() throws {
        func check(_ condition: Bool, _ message: String) throws {
            if !condition { throw InputError(message, status: .usage) }
        }
        let largest = PackingOptions.largestLength
        try check((2 ... largest).contains(maxLength), "--max-length takes a number from 2 to \(largest), found \(maxLength)")
        try check((1 ... largest).contains(maxTokens), "--max-tokens takes a number from 1 to \(largest), found \(maxTokens)")
        try check((1 ... 4096).contains(openBins), "--open-bins takes a number from 1 to 4096, found \(openBins)")
        try check((recordsPerBin ?? 1) >= 1, "--records-per-bin takes a number from 1, found \(recordsPerBin ?? 0)")
        try check((2 ... 1 << 16).contains(group), "--group takes a number from 2 to \(1 << 16), found \(group)")
        try check(!paperEpsilon || layout == .rows16, "--paper-epsilon changes pi_target, which only --layout rows16 has")
    }

    /// The options as words of a command line, each with its value, in a fixed order: what provenance keeps.
    public var arguments: [String] {
        var words = ["--layout", layout.rawValue, "--max-length", "\(maxLength)", "--max-tokens", "\(maxTokens)", "--open-bins", "\(openBins)"]
        if let recordsPerBin { words += ["--records-per-bin", "\(recordsPerBin)"] }
        if layout == .pairs { words += ["--pairs", pairs.rawValue] }
        if layout == .sft { words += ["--answers", answers.rawValue] }
        words += ["--truncation", truncation.rawValue, "--overlong", overlong.rawValue, "--order", order.rawValue]
        if order != .input { words += ["--seed", "\(seed)"] }
        if order != .input, epoch > 0 { words += ["--epoch", "\(epoch)"] }
        if order == .grouped { words += ["--group", "\(group)"] }
        if paperEpsilon { words.append("--paper-epsilon") }
        return words
    }

    /// What readers of the packed stream find in its head, beside the settings of the tokens stream.
    public var settings: [String: JSONValue] {
        ["layout": .string(layout.rawValue), "max_length": JSONValue(maxLength), "max_tokens": JSONValue(maxTokens)]
    }
}

/// How a record that exceeds `maxLength` is made to fit.
public enum Truncation: String, Sendable, CaseIterable {
    /// Keeps the answer's header; takes whole turns first, then the middle of what is left of the prompt, then the ends of responses.
    case ours
    /// The rule of the paper's code (LLaMA-Factory): heads are kept, so a cut prompt loses the answer's header.
    case paper
}

/// What becomes of a record that exceeds `maxLength`.
public enum OverlongPolicy: String, Sendable, CaseIterable {
    case cut
    case drop
}

/// In which order records go into bins.
public enum RecordOrder: String, Sendable, CaseIterable {
    case input
    /// By a random number that seed, epoch and record id alone decide. Holds the whole set in memory.
    case shuffled
    /// Shuffled, and then neighbours of similar length put together, group by group. Holds the whole set in memory.
    case grouped
}
