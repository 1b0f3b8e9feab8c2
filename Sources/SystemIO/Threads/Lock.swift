import Glibc

/// A mutex.
final class Lock: @unchecked Sendable {
    fileprivate let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    init() { pthread_mutex_init(mutex, nil) }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    func whileHeld<Value>(_ body: () throws -> Value) rethrows -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Runs `body` without the lock; only while held.
    func whileReleased(_ body: () -> Void) {
        pthread_mutex_unlock(mutex)
        body()
        pthread_mutex_lock(mutex)
    }
}

/// What threads that hold a lock wait for. All of it is called only while the lock is held.
final class Condition: @unchecked Sendable {
    private let lock: Lock
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// How many threads wait: without one the system need not be asked to wake any.
    private(set) var waiting = 0

    init(of lock: Lock) {
        self.lock = lock
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        condition.deallocate()
    }

    /// Lets go of the lock meanwhile.
    func wait() {
        waiting += 1
        pthread_cond_wait(condition, lock.mutex)
        waiting -= 1
    }

    func wakeOne() { if waiting > 0 { pthread_cond_signal(condition) } }

    func wakeAll() { if waiting > 0 { pthread_cond_broadcast(condition) } }
}

/// Starts a thread; nil where the system gives none.
func startThread(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
    final class Box { let body: @Sendable () -> Void; init(_ body: @escaping @Sendable () -> Void) { self.body = body } }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(body))
    let failed = pthread_create(&thread, nil, { argument in
        if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
    }, box.toOpaque())
    guard failed == 0 else {
        box.release()
        return nil
    }
    return thread
}
