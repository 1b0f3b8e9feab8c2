import Glibc

/// A value that another thread makes.
final class Promise<Value>: @unchecked Sendable {
    private let lock = Lock()
    private var result: Result<Value, any Error>?

    fileprivate func keep(_ result: Result<Value, any Error>) {
        lock.whileHeld {
            self.result = result
            lock.wakeAll()
        }
    }

    /// Waits until it is made.
    func value() throws -> Value {
        try lock.whileHeld {
            while result == nil { lock.wait() }
            return result!
        }.get()
    }
}

/// A few threads of the process that take work as it comes; started when there is some, and never ended.
final class BackgroundWork: @unchecked Sendable {
    static let shared = BackgroundWork(threads: 2)
    private let lock = Lock()
    private var waiting: [() -> Void] = []
    private var started = 0, idle = 0
    private let most: Int

    private init(threads: Int) { most = threads }

    /// Begins with the work, or, where the system gives no thread, does it at once.
    func begin<Value>(_ work: @escaping @Sendable () throws -> Value) -> Promise<Value> {
        let promise = Promise<Value>()
        let run = { promise.keep(Result { try work() }) }
        let isTaken = lock.whileHeld { () -> Bool in
            if idle <= waiting.count, started < most, startThread({ [self] in serve() }) { started += 1 }
            guard started > 0 else { return false }
            waiting.append(run)
            lock.wakeAll()
            return true
        }
        if !isTaken { run() }
        return promise
    }

    private func serve() {
        while true {
            let work = lock.whileHeld { () -> () -> Void in
                idle += 1
                while waiting.isEmpty { lock.wait() }
                idle -= 1
                return waiting.removeFirst()
            }
            work()
        }
    }
}

/// A mutex with a condition.
final class Lock: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(changed)
        mutex.deallocate()
        changed.deallocate()
    }

    func whileHeld<Value>(_ body: () throws -> Value) rethrows -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Only while held; lets go of it meanwhile.
    func wait() { pthread_cond_wait(changed, mutex) }

    func wakeAll() { pthread_cond_broadcast(changed) }
}

/// Starts a detached thread; false where the system gives none.
private func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    final class Box { let body: @Sendable () -> Void; init(_ body: @escaping @Sendable () -> Void) { self.body = body } }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(body))
    let failed = pthread_create(&thread, nil, { argument in
        if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
    }, box.toOpaque())
    guard failed == 0 else {
        box.release()
        return false
    }
    pthread_detach(thread)
    return true
}
