/// Turns a sequence of inputs into a sequence of outputs on several threads, in order: the result is the same for any number of them.
///
/// `produce` (next input or nil) and `consume` run on the caller's thread, one at a time, in order; `transform` runs on up to `workers` threads, of which the caller's is
/// one, each time with a state that no other thread has.
/// At most a few inputs a worker are under way at once, so memory stays bounded however fast the producer is. The first error of any of the three, in the
/// order of the inputs, stops everything and is thrown.
///
/// - Parameter isReady: whether `produce` would return at once. Where it would wait, what is under way is consumed first: who types lines into a pipe sees each answered.
/// - Returns: the states that were made; each input went through one of them.
@discardableResult
public func orderedMap<Input, Output, State>(
    workers: Int, produce: () throws -> Input?, isReady: () -> Bool = { true }, makeState: @escaping @Sendable () throws -> State,
    transform: @escaping @Sendable (inout State, Input) throws -> Output, consume: (Output) throws -> Void
) throws -> [State] {
    guard workers > 1 else {
        // The plain version: what the threads must equal.
        var state = try makeState()
        while let input = try produce() { try consume(transform(&state, input)) }
        return [state]
    }
    let pool = WorkPool.shared
    if pool.threads < workers { pool.threads = workers }
    let work = OrderedWork<Input, Output, State>(pool, makeState: makeState, transform: transform)
    defer { work.close() }
    var submitted = 0
    var consumed = 0
    var more = true
    while more || consumed < submitted {
        while more, submitted - consumed < 2 * workers, submitted == consumed || isReady() {
            let input: Input?
            do { input = try produce() } catch {
                // What came before the failing input is still delivered, as the plain version does.
                while consumed < submitted {
                    try consume(work.result(consumed).get())
                    consumed += 1
                }
                throw error
            }
            guard let input else {
                more = false
                break
            }
            work.submit(input, number: submitted)
            submitted += 1
        }
        if consumed < submitted {
            try consume(work.result(consumed).get())
            consumed += 1
        }
    }
    return work.close()
}

/// Numbered inputs on their way through a pool, and the results that are done. All variables are guarded by the pool.
private final class OrderedWork<Input, Output, State>: @unchecked Sendable {
    private let pool: WorkPool
    private var done: [Int: Result<Output, any Error>] = [:]
    /// Those that no thread has.
    private var states: [State] = []
    private var running = 0
    private var isClosed = false
    private let makeState: @Sendable () throws -> State
    private let transform: @Sendable (inout State, Input) throws -> Output

    init(_ pool: WorkPool, makeState: @escaping @Sendable () throws -> State, transform: @escaping @Sendable (inout State, Input) throws -> Output) {
        self.pool = pool
        self.makeState = makeState
        self.transform = transform
    }

    func submit(_ input: Input, number: Int) {
        let input = Handed(input)
        pool.add { [self] in run(input.value, number) }
    }

    /// Waits for the result of an input that was submitted.
    func result(_ number: Int) -> Result<Output, any Error> { pool.wait { done.removeValue(forKey: number) } }

    /// What has not begun is passed over; waits until nothing runs, and then has every state.
    @discardableResult
    func close() -> [State] {
        pool.change { isClosed = true }
        return pool.wait { running == 0 ? states : nil }
    }

    private func run(_ input: Input, _ number: Int) {
        let begun = pool.change { () -> (Bool, State?) in
            guard !isClosed else { return (false, nil) }
            running += 1
            return (true, states.popLast())
        }
        guard begun.0 else { return }
        var state = begun.1
        let result = Result { () throws -> Output in
            if state == nil { state = try makeState() }
            return try transform(&state!, input)
        }
        pool.change {
            if let state { states.append(state) }
            done[number] = result
            running -= 1
        }
    }
}

/// A value that goes to one other thread, which alone uses it from then on.
public struct Handed<Value>: @unchecked Sendable {
    public let value: Value
    public init(_ value: Value) { self.value = value }
}
