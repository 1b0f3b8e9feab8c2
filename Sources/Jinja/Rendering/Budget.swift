/// What a template may spend: templates come with models, from anyone, and one that loops for ever must end.
struct Budget {
    private var steps = 5_000_000
    private var bytes: Int
    private var depth = 0

    static let greatestOutput = 64 << 20
    static let greatestDepth = 500
    static let greatestHeight = 512

    /// - Parameter inputBytes: of the caller's variables; a long conversation may be looked through several times.
    init(inputBytes: Int) { bytes = (128 << 20) + 16 * min(inputBytes, 1 << 40) }

    /// Pays for one step, or so many.
    @inline(__always)
    mutating func step(_ count: Int = 1) throws {
        steps &-= count
        if steps < 0 { throw TemplateFailure("more than 5,000,000 steps: the template does not come to an end") }
    }

    /// Pays for bytes looked at or copied.
    @inline(__always)
    mutating func handle(_ count: Int) throws {
        bytes &-= count
        if bytes < 0 { throw TemplateFailure("the template copies text without end") }
    }

    mutating func enter() throws {
        depth += 1
        if depth > Budget.greatestDepth {
            throw TemplateFailure("more than \(Budget.greatestDepth) levels of loops, macros and expressions inside one another")
        }
    }

    mutating func leave() { depth -= 1 }
}
