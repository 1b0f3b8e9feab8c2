import Numerics
import SystemIO

/// Low-rank terms beside weight matrices: y = W x + U (g * (V x)), with U [out][rank], V [rank][in] and one gate g for each term and segment of the tree.
///
/// LoRA (Hu et al. 2021, arXiv 2106.09685) is g = alpha / rank in every segment. Gates that follow each record's own lambda make the weights a function of
/// lambda (Zhong et al. 2024, "Panacea", arXiv 2402.02030), with records of different lambda side by side in one bin.
public final class LowRankAdapter: Sendable {
    /// Where the two factors of one matrix lie in `values`.
    public struct Term: Sendable, Equatable {
        /// U [out][rank] and V [rank][in], row-major.
        public let up: Range<Int>, down: Range<Int>
    }

    public let rank: Int
    /// By the Hugging Face name of the matrix. "lm_head.weight" stands for the output weights also where they are tied to the embedding, which is left as it is.
    public let terms: [String: Term]
    /// All factors, term after term in the order of the model's tensors; zero at first.
    public let values: FloatBuffer
    private let termByOffset: [Int: Term]

    /// - Parameter matrices: names of weight matrices of the model.
    /// - Throws: `InputError` for a name that is no weight matrix of the model, or a rank below 1.
    public init(_ layout: ParameterLayout, rank: Int, matrices: Set<String>) throws {
        guard rank > 0 else { throw InputError("an adapter of rank \(rank); expected at least 1") }
        var terms: [String: Term] = [:], byOffset: [Int: Term] = [:], end = 0
        func take(_ count: Int) -> Range<Int> {
            defer { end = (end + count + 15) / 16 * 16 }
            return end ..< end + count
        }
        let c = layout.configuration
        let head = ParameterTensor(name: LowRankAdapter.headName, shape: [c.vocabularySize, c.hiddenSize], range: layout.head ..< layout.head)
        let adaptable = layout.tensors.filter { $0.shape.count == 2 && $0.name != LowRankAdapter.embeddingName && $0.name != head.name } + [head]
        for tensor in adaptable where matrices.contains(tensor.name) {
            let term = Term(up: take(tensor.shape[0] * rank), down: take(rank * tensor.shape[1]))
            terms[tensor.name] = term
            byOffset[tensor.range.lowerBound] = term
        }
        if let unknown = matrices.subtracting(terms.keys).min() { throw InputError("\(unknown) is no weight matrix that an adapter can stand beside") }
        self.rank = rank
        self.terms = terms
        termByOffset = byOffset
        values = try FloatBuffer.orInputError(count: end, what: "the adapter")
    }

    private static let headName = "lm_head.weight", embeddingName = "model.embed_tokens.weight"

    /// The term beside the matrix at an offset of the parameters' arena.
    func term(at offset: Int) -> Term? { termByOffset[offset] }
}

/// Sums of gradients of an adapter: of its factors, laid out as its `values`, and of the gates of the last backward pass.
public final class AdapterGradients {
    public let values: FloatBuffer
    /// [segments][rank], of the tree of the last backward pass.
    public internal(set) var gates: [[Double]] = []

    /// All zero.
    public init(_ adapter: LowRankAdapter) throws {
        values = try FloatBuffer.orInputError(count: adapter.values.count, what: "the adapter's gradients")
    }
}

/// An adapter and the gates that a tree goes through.
public struct GatedAdapter: Sendable {
    public let adapter: LowRankAdapter
    /// [segments][rank]
    public let gates: [[Float]]

    public init(_ adapter: LowRankAdapter, gates: [[Float]]) {
        self.adapter = adapter
        self.gates = gates
    }

    func validate(for tree: TokenTree) throws {
        guard gates.count == tree.segments.count else {
            throw InputError("gates for \(gates.count) segments; the tree has \(tree.segments.count)", status: .internalError)
        }
        for (segment, gates) in gates.enumerated() where gates.count != adapter.rank {
            throw InputError("segment \(segment) has \(gates.count) gates; the adapter's rank is \(adapter.rank)", status: .internalError)
        }
    }
}

/// The rows of one pass and the gates of each: what `linear` needs of an adapter, with memory for the rows' projections.
final class AdaptedRows {
    let gated: GatedAdapter
    var rank: Int { gated.adapter.rank }
    /// The segment of each row.
    let segments: [Int]
    private let buffer: FloatBuffer
    /// [rows][rank]: V x; g * (V x); on the way back the gradient of the latter and of the former.
    let projected: UnsafeMutablePointer<Float>, output: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>

    /// - Parameter rows: rows of the tree, in the order of the pass.
    init(_ gated: GatedAdapter, _ tree: TokenTree, rows: some Sequence<Int>) throws {
        var segmentOfRow = [Int](repeating: 0, count: tree.count)
        for (number, segment) in tree.segments.enumerated() {
            for row in segment.range { segmentOfRow[row] = number }
        }
        self.gated = gated
        segments = rows.map { segmentOfRow[$0] }
        let count = (segments.count * gated.adapter.rank + 15) / 16 * 16
        buffer = try FloatBuffer.orInputError(count: 3 * count, what: "the adapter's projections")
        projected = buffer.base
        output = projected + count
        gradient = output + count
    }

    func values(_ range: Range<Int>) -> UnsafeMutablePointer<Float> { gated.adapter.values.base + range.lowerBound }

    /// y [rows][rank] = g * x. The same memory is fine.
    func applyGates(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>) {
        for (row, segment) in segments.enumerated() {
            let gates = gated.gates[segment]
            for term in 0 ..< rank { y[row * rank + term] = gates[term] * x[row * rank + term] }
        }
    }

    /// dg += sum over a segment's rows of `gradient` * `projected`.
    func addGateGradients(to sums: inout [[Double]]) {
        for (row, segment) in segments.enumerated() {
            for term in 0 ..< rank { sums[segment][term] += Double(gradient[row * rank + term]) * Double(projected[row * rank + term]) }
        }
    }
}
