import Glibc

/// Turns a sequence of inputs into a sequence of outputs on several threads, in order: the result is the same for any number of them.
///
/// `produce` (next input or nil) and `consume` run one at a time, in order; `transform` runs on `workers` threads, each with its own state.
/// At most a few inputs a worker are under way at once, so memory stays bounded however fast the producer is. The first error of any of the three, in the
/// order of the inputs, stops everything and is thrown.
public func orderedMap<Input, Output, State>(
    workers: Int, produce: () throws -> Input?, makeState: @escaping @Sendable () throws -> State,
    transform: @escaping @Sendable (inout State, Input) throws -> Output, consume: (Output) throws -> Void
) throws {
    guard workers > 1 else {
        // The plain version: what the threads must equal.
        var state = try makeState()
        while let input = try produce() { try consume(transform(&state, input)) }
        return
    }
    let pool = OrderedPool<Input, Output, State>(makeState: makeState, transform: transform)
    let threads = (0 ..< workers).map { _ in startThread { pool.work() } }
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

/// A queue of numbered inputs and the results that are done. All members are guarded by `mutex`.
private final class OrderedPool<Input, Output, State>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting: [(number: Int, input: Input)] = []
    private var done: [Int: Result<Output, any Error>] = [:]
    private var closed = false
    private let makeState: @Sendable () throws -> State
    private let transform: @Sendable (inout State, Input) throws -> Output

    init(makeState: @escaping @Sendable () throws -> State, transform: @escaping @Sendable (inout State, Input) throws -> Output) {
        self.makeState = makeState
        self.transform = transform
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(changed)
        mutex.deallocate()
        changed.deallocate()
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    func submit(_ input: Input, number: Int) {
        locked {
            waiting.append((number, input))
            pthread_cond_broadcast(changed)
        }
    }

    func close() {
        locked {
            closed = true
            waiting.removeAll()
            pthread_cond_broadcast(changed)
        }
    }

    /// Waits for the result of an input that was submitted.
    func result(_ number: Int) -> Result<Output, any Error> {
        locked {
            while true {
                if let result = done.removeValue(forKey: number) { return result }
                pthread_cond_wait(changed, mutex)
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
        locked {
            while waiting.isEmpty, !closed { pthread_cond_wait(changed, mutex) }
            return closed ? nil : waiting.removeFirst()
        }
    }

    private func finish(_ number: Int, _ result: Result<Output, any Error>) {
        locked {
            done[number] = result
            pthread_cond_broadcast(changed)
        }
    }
}

private func startThread(_ body: @escaping @Sendable () -> Void) -> pthread_t {
    final class Box { let body: @Sendable () -> Void; init(_ body: @escaping @Sendable () -> Void) { self.body = body } }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(body))
    let failed = pthread_create(&thread, nil, { argument in
        if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
    }, box.toOpaque())
    precondition(failed == 0, "the system refuses another thread")
    return thread
}
