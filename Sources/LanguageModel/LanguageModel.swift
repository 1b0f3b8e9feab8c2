import Glibc
import Numerics
import SystemIO

/// A Llama-family decoder in single precision: one forward pass for training, scoring, benchmarks and generation, and its exact gradient.
///
/// The unit of computation is one `TokenTree` (one packed bin): no product spans two of them, and work is cut into tiles by shape alone. So log-probabilities and
/// gradients are the same bits for any number of workers, on one CPU class with one set of BLAS kernels.
/// A token's log-probability, moreover, depends on the tokens before it alone, to the bit: not on the tree it is computed in, nor on what was kept from before
/// (where `BLAS.rowsAreIndependent`, as with every set of kernels of OpenBLAS for x86-64 that was tried).
///
/// A training step: clear gradients; for each bin `forward(..., keepingActivations: true)`, the loss and its derivative by each log-probability, `backward`;
/// then measure, clip and hand `gradients.values` to the optimizer. Use from one thread at a time.
public final class LanguageModel {
    public let configuration: ModelConfiguration
    public let parameters: Parameters
    public let pool: WorkerPool
    /// Bytes that activations kept for `backward` may take; layers beyond are computed again, which costs time and changes no bit.
    public var activationBudget: Int
    /// Of the log-probabilities that `forward` tells.
    public let precision: Precision

    let product: MatrixProduct
    let kernels: RowKernels
    let rotary: RotaryEmbedding
    var workspace: Workspace?
    var scratch: FloatBuffer?
    /// Gradients of the logits of one chunk of rows: [rows][vocabulary].
    var headScratch: FloatBuffer?
    /// What `backward` needs of the last forward pass.
    var lastForward: ForwardRecord?

    struct ForwardRecord {
        var tree: TokenTree
        var scored: ScoredTokens
        var pass: Pass
    }

    /// What the layers leave for the head.
    struct Pass {
        var plan: AttentionPlan, head: HeadRows
        /// The adapter's rows in the layers and in the head.
        var adapted: AdaptedRows?, adaptedHead: AdaptedRows?
    }

    /// - Parameter workers: threads; 0 means one for every CPU this process may use.
    public convenience init(parameters: Parameters, workers: Int = 0, precision: Precision = .single) {
        self.init(parameters: parameters, pool: WorkerPool(workers: workers), precision: precision)
    }

    /// A model that shares its threads with another one, such as the frozen reference of a policy.
    public init(parameters: Parameters, pool: WorkerPool, precision: Precision = .single) {
        configuration = parameters.configuration
        self.precision = precision
        self.parameters = parameters
        self.pool = pool
        product = MatrixProduct(pool: pool)
        kernels = RowKernels(pool: pool)
        rotary = RotaryEmbedding(parameters.configuration)
        activationBudget = Int(clamping: sysconf(Int32(_SC_PHYS_PAGES))) / 4 * 4096
    }

    /// Gradients for this model's parameters, all zero.
    public func makeGradients() throws -> Gradients { try Gradients(parameters.layout) }

    /// The log-probability of each scored token given what stands before it in its branch.
    ///
    /// - Parameters:
    ///   - keepingActivations: whether `backward` follows.
    ///   - state: rows computed before; they must be the tree's first ones, and scored rows may lie among them. Afterwards the state covers the whole tree.
    ///   - wantsGreedy: whether the most probable token of each scored place is told too.
    ///   - adapter: what stands beside the weights in this pass; rows of `state` keep what they were computed with.
    /// - Throws: `InputError` for tokens beyond the vocabulary, positions beyond the context, or a malformed tree.
    public func forward(_ tree: TokenTree, scored: ScoredTokens, keepingActivations: Bool = false, state: PromptState? = nil,
                        wantsGreedy: Bool = false, adapter: GatedAdapter? = nil) throws -> Scores {
        if precision == .double, !keepingActivations, state == nil, !wantsGreedy {
            return Scores(logProbs: try doublePrecisionLogProbs(tree, scored, adapter: adapter), greedy: [], greedyLogProbs: [])
        }
        let pass = try run(tree, scored, keepingActivations: keepingActivations, state: state, adapter: adapter)
        var scores = try scoreHead(pass.head, pass.adaptedHead, scored, wantsGreedy: wantsGreedy)
        if precision == .double { scores.logProbs = try doublePrecisionLogProbs(tree, scored, adapter: adapter) }
        if keepingActivations { lastForward = ForwardRecord(tree: tree, scored: scored, pass: pass) }
        return scores
    }

    /// The whole tree again: a state keeps nothing in double.
    private func doublePrecisionLogProbs(_ tree: TokenTree, _ scored: ScoredTokens, adapter: GatedAdapter?) throws -> [Double] {
        guard adapter == nil else { throw InputError("an adapter has no forward pass in double precision", status: .internalError) }
        try tree.validate(for: configuration)
        try scored.validate(for: tree, vocabularySize: configuration.vocabularySize)
        return DoublePrecisionForward(parameters: parameters, pool: pool, rotary: rotary).logProbs(tree, scored: scored)
    }

    /// The logits of all tokens at given rows: [rows][vocabulary]. For sampling; scoring never needs them all.
    public func logits(_ tree: TokenTree, rows: [Int], state: PromptState? = nil, adapter: GatedAdapter? = nil) throws -> [[Float]] {
        var scored = ScoredTokens()
        for row in rows { scored.append(row: row, target: 0) }
        let pass = try run(tree, scored, keepingActivations: false, state: state, adapter: adapter), head = pass.head, c = configuration
        normHead(head)
        let all = try FloatBuffer.orInputError(count: head.rows.count * c.vocabularySize, what: "the logits of \(rows.count) rows")
        linear(head.normed, rows: head.rows.count, headMatrix, pass.adaptedHead, into: all.base)
        return head.places.map { Array(UnsafeBufferPointer(start: all.base + Int($0) * c.vocabularySize, count: c.vocabularySize)) }
    }

    /// The log-probabilities of `forward`, and what the output weights were applied to.
    func scoresWithHead(_ tree: TokenTree, _ scored: ScoredTokens) throws -> (logProbs: [Double], head: HeadRows) {
        let head = try run(tree, scored, keepingActivations: false, state: nil, adapter: nil).head
        let scores = try scoreHead(head, nil, scored, wantsGreedy: false)
        return (precision == .double ? try doublePrecisionLogProbs(tree, scored, adapter: nil) : scores.logProbs, head)
    }

    /// Everything below the output weights.
    private func run(_ tree: TokenTree, _ scored: ScoredTokens, keepingActivations: Bool, state: PromptState?, adapter: GatedAdapter?) throws -> Pass {
        lastForward = nil
        try tree.validate(for: configuration)
        try adapter?.validate(for: tree)
        try scored.validate(for: tree, vocabularySize: configuration.vocabularySize)
        guard state == nil || !keepingActivations else {
            throw InputError("activations cannot be kept for rows that were computed before", status: .internalError)
        }
        let first = state?.count ?? 0, width = configuration.hiddenSize
        try state?.checkContinues(tree, of: configuration)
        let plan = AttentionPlan(tree, first: first, withBackward: keepingActivations)
        let workspace = try prepareWorkspace(rows: tree.count - first, allRows: tree.count, forTraining: keepingActivations)
        let adapted = try adapter.map { try AdaptedRows($0, tree, rows: first ..< tree.count) }
        if tree.count > first { try runLayers(tree, plan, adapted, workspace, first: first, state: state) }
        state?.accept(tree)

        let head = try HeadRows(scored, configuration), hidden = state?.hidden ?? workspace.input(configuration.layers)
        for (index, row) in head.rows.enumerated() { (head.inputs + index * width).update(from: hidden + row * width, count: width) }
        return Pass(plan: plan, head: head, adapted: adapted, adaptedHead: try adapter.map { try AdaptedRows($0, tree, rows: head.rows) })
    }

    /// The log-probabilities alone.
    public func logProbs(_ tree: TokenTree, scored: ScoredTokens) throws -> [Double] { try forward(tree, scored: scored).logProbs }

    func prepareWorkspace(rows: Int, allRows: Int, forTraining: Bool) throws -> Workspace {
        if let workspace, workspace.rows >= rows, workspace.allRows >= allRows, workspace.isForTraining || !forTraining { return workspace }
        // A little more than asked for, where trees grow from call to call. The old memory goes before the new is asked for.
        var capacity = rows, allCapacity = allRows
        if let workspace, workspace.isForTraining == forTraining {
            capacity = max(rows, rows > workspace.rows ? min(workspace.rows * 5 / 4, configuration.contextLength) : workspace.rows)
            allCapacity = max(allRows, min(workspace.allRows * 5 / 4, configuration.contextLength))
        }
        workspace = nil
        let made = try Workspace(configuration, rows: capacity, allRows: max(capacity, allCapacity), forTraining: forTraining, budget: activationBudget)
        workspace = made
        return made
    }

    func prepareScratch(floatsPerWorker: Int) throws -> UnsafeMutablePointer<Float> {
        let wanted = floatsPerWorker * pool.workers
        if let scratch, scratch.count >= wanted { return scratch.base }
        scratch = nil
        let made = try FloatBuffer.orInputError(count: wanted, what: "the workers' scratch memory")
        scratch = made
        return made.base
    }
}

/// What a forward pass tells, by scored token.
public struct Scores: Sendable, Equatable {
    /// Natural logarithms.
    public var logProbs: [Double]
    /// The most probable token at each scored place (the first of equals); empty unless asked for.
    public var greedy: [UInt32]
    /// The log-probability of `greedy`.
    public var greedyLogProbs: [Double]
}
