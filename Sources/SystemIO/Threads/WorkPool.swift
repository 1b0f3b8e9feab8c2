import Glibc

/// Work that any of a few threads does. Whoever waits for a piece of it does other pieces meanwhile, so that `threads - 1` threads beside the caller's keep `threads`
/// processors busy: with more threads than processors the system often leaves one processor idle while two threads wait for the other.
///
/// Pieces begin in the order in which they came. None of them may wait for another.
public final class WorkPool: @unchecked Sendable {
    /// The process's own.
    public static let shared = WorkPool(threads: max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))

    private let lock = Lock()
    /// For the pool's own threads: there is work. For those who wait for something: it may have come, or there is work and no thread of the pool's is free.
    private let work: Condition, changed: Condition
    private var pieces: [() -> Void] = []
    /// Where the next piece stands in `pieces`; those before it are gone.
    private var next = 0
    private var started = 0
    private var most: Int

    public init(threads: Int) {
        most = threads
        work = Condition(of: lock)
        changed = Condition(of: lock)
    }

    /// How many threads work at once, with the one that waits. Those that were started stay when it gets smaller.
    public var threads: Int {
        get { lock.whileHeld { most } }
        set { lock.whileHeld { most = max(1, newValue) } }
    }

    /// Adds a piece of work. Where the system gives no thread, whoever waits does it.
    public func add(_ piece: @escaping @Sendable () -> Void) {
        lock.whileHeld {
            pieces.append(piece)
            guard work.waiting == 0 else { return work.wakeOne() }
            if started < most - 1, startThread({ [self] in serve() }) != nil { started += 1 }
            changed.wakeAll()
        }
    }

    /// Changes what others may wait for.
    public func change<Value>(_ body: () throws -> Value) rethrows -> Value {
        try lock.whileHeld {
            defer { changed.wakeAll() }
            return try body()
        }
    }

    /// Waits until `body`, which is asked whenever something has changed, has a value; does what work there is meanwhile.
    public func wait<Value>(until body: () throws -> Value?) rethrows -> Value {
        try lock.whileHeld {
            while true {
                if let value = try body() { return value }
                if !doNext() { changed.wait() }
            }
        }
    }

    private func serve() {
        lock.whileHeld {
            while true { if !doNext() { work.wait() } }
        }
    }

    private func doNext() -> Bool {
        guard next < pieces.count else { return false }
        let piece = pieces[next]
        pieces[next] = {}
        next += 1
        if next == pieces.count || next > 1000 {
            pieces.removeFirst(next)
            next = 0
        }
        lock.whileReleased(piece)
        return true
    }

    /// Begins to make a value.
    public func promise<Value>(_ work: @escaping @Sendable () -> Value) -> Promise<Value> {
        let promise = Promise<Value>(self)
        add { promise.keep(work()) }
        return promise
    }

    /// Begins work of several steps: between them others have their turn. The one after which there is a value is the last.
    public func promise<Value>(inSteps step: @escaping @Sendable () -> Value?) -> Promise<Value> {
        let promise = Promise<Value>(self)
        @Sendable func next() { if let value = step() { promise.keep(value) } else { add(next) } }
        add(next)
        return promise
    }

    /// Begins what may fail.
    public func promise<Value>(_ work: @escaping @Sendable () throws -> Value) -> Promise<Result<Value, any Error>> { promise { Result { try work() } } }
}

/// A value that is being made.
public final class Promise<Value>: @unchecked Sendable {
    private let pool: WorkPool
    /// Guarded by the pool.
    private var made: Value?

    fileprivate init(_ pool: WorkPool) { self.pool = pool }

    fileprivate func keep(_ value: Value) { pool.change { made = value } }

    /// Waits until it is made.
    public var value: Value { pool.wait { made } }
}
