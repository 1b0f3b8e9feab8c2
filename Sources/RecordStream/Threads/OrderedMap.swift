import Glibc
import SystemIO

/// Turns a sequence of inputs into a sequence of outputs on several threads, in order: the result is the same for any number of them.
///
/// `produce` (next input or nil) and `consume` run one at a time, in order; `transform` runs on `workers` threads, each with its own state.
/// At most a few inputs a worker are under way at once, so memory stays bounded however fast the producer is. The first error of any of the three, in the
/// order of the inputs, stops everything and is thrown.
public func orderedMap<Input, Output, State>(
    workers: Int, produce: () throws -> Input?, makeState: @escaping @Sendable () throws -> State,
    transform: @escaping @Sendable (inout State, Input) throws -> Output, consume: (Output) throws -> Void
) throws {
    let pool = OrderedPool<Input, Output, State>(makeState: makeState, transform: transform)
    // As many as the system gives.
    let threads = workers > 1 ? (0 ..< workers).compactMap { _ in startThread { pool.work() } } : []
    guard !threads.isEmpty else {
        // The plain version: what the threads must equal.
        var state = try makeState()
        while let input = try produce() { try consume(transform(&state, input)) }
        return
    }
    defer {
        pool.close()
        threads.forEach { pthread_join($0, nil) }
    }
    var submitted = 0
    var consumed = 0
    var more = true
    while more || consumed < submitted {
        while more, submitted - consumed < 6 * workers {
            let input: Input?
            do { input = try produce() } catch {
                // What came before the failing input is still delivered, as the plain version does.
                while consumed < submitted {
                    try consume(pool.result(consumed).get())
                    consumed += 1
                }
                throw error
            }
            guard let input else {
                more = false
                break
            }
            pool.submit(input, number: submitted)
            submitted += 1
        }
        if consumed < submitted {
            try consume(pool.result(consumed).get())
            consumed += 1
        }
    }
}

/// A queue of numbered inputs and the results that are done. All members are guarded by `lock`.
private final class OrderedPool<Input, Output, State>: @unchecked Sendable {
    private let lock = Lock()
    private var waiting: [(number: Int, input: Input)] = []
    private var done: [Int: Result<Output, any Error>] = [:]
    private var closed = false
    private let makeState: @Sendable () throws -> State
    private let transform: @Sendable (inout State, Input) throws -> Output

    init(makeState: @escaping @Sendable () throws -> State, transform: @escaping @Sendable (inout State, Input) throws -> Output) {
        self.makeState = makeState
        self.transform = transform
    }

    func submit(_ input: Input, number: Int) {
        lock.whileHeld {
            waiting.append((number, input))
            lock.wakeAll()
        }
    }

    func close() {
        lock.whileHeld {
            closed = true
            waiting.removeAll()
            lock.wakeAll()
        }
    }

    /// Waits for the result of an input that was submitted.
    func result(_ number: Int) -> Result<Output, any Error> {
        lock.whileHeld {
            while true {
                if let result = done.removeValue(forKey: number) { return result }
                lock.wait()
            }
        }
    }

    func work() {
        do {
            var state = try makeState()
            while let next = take() { finish(next.number, Result { try transform(&state, next.input) }) }
        } catch {
            while let next = take() { finish(next.number, .failure(error)) }
        }
    }

    private func take() -> (number: Int, input: Input)? {
        lock.whileHeld {
            while waiting.isEmpty, !closed { lock.wait() }
            return closed ? nil : waiting.removeFirst()
        }
    }

    private func finish(_ number: Int, _ result: Result<Output, any Error>) {
        lock.whileHeld {
            done[number] = result
            lock.wakeAll()
        }
    }
}
