import Numerics
import SystemIO

/// What later tokens need of rows that are computed: keys and values of every layer, and the last layer's output. A context is computed once and then
/// continued any number of times, by branches of one tree or by cutting back to it.
public final class PromptState {
    public let configuration: ModelConfiguration
    /// Rows that fit.
    public let capacity: Int
    /// The rows that are computed.
    public private(set) var tree = TokenTree()
    public var count: Int { tree.count }

    private let buffer: FloatBuffer

    public init(_ configuration: ModelConfiguration, capacity: Int) throws {
        self.configuration = configuration
        self.capacity = max(0, capacity)
        let perRow = 2 * configuration.layers * configuration.keyValueWidth + configuration.hiddenSize
        let (floats, overflow) = self.capacity.multipliedReportingOverflow(by: perRow)
        guard !overflow else { throw InputError("no memory for the state of \(capacity) tokens", status: .internalError) }
        buffer = try FloatBuffer.orInputError(count: floats, what: "the state of \(capacity) tokens")
    }

    /// Forgets the segments from `number` on.
    public func cut(toSegments number: Int) {
        guard number < tree.segments.count else { return }
        let kept = Array(tree.segments[0 ..< max(0, number)]), rows = kept.last?.range.upperBound ?? 0
        tree = TokenTree(tokens: Array(tree.tokens[0 ..< rows]), positions: Array(tree.positions[0 ..< rows]), segments: kept)
    }

    func checkContinues(_ longer: TokenTree, of model: ModelConfiguration) throws {
        guard model == configuration else { throw InputError("the state of another model", status: .internalError) }
        guard longer.count <= capacity else { throw InputError("\(longer.count) tokens; the state holds \(capacity)", status: .internalError) }
        var matches = longer.count >= count && longer.segments.count >= tree.segments.count
            && longer.tokens[0 ..< min(count, longer.count)].elementsEqual(tree.tokens)
            && longer.positions[0 ..< min(count, longer.count)].elementsEqual(tree.positions)
        // Segments are the same; only the last may have grown.
        for (number, segment) in tree.segments.enumerated() where matches {
            let now = longer.segments[number]
            matches = now.parent == segment.parent && now.range.lowerBound == segment.range.lowerBound
                && (now.range.upperBound == segment.range.upperBound || number == tree.segments.count - 1 && now.range.upperBound > segment.range.upperBound)
        }
        guard matches else { throw InputError("the tree does not begin with the state's rows", status: .internalError) }
    }

    func accept(_ tree: TokenTree) { self.tree = tree }

    /// [capacity][keyValueWidth]
    func keys(_ layer: Int) -> UnsafeMutablePointer<Float> { buffer.base + 2 * layer * capacity * configuration.keyValueWidth }
    func values(_ layer: Int) -> UnsafeMutablePointer<Float> { buffer.base + (2 * layer + 1) * capacity * configuration.keyValueWidth }
    /// [capacity][hiddenSize]
    var hidden: UnsafeMutablePointer<Float> { buffer.base + 2 * configuration.layers * capacity * configuration.keyValueWidth }
}
