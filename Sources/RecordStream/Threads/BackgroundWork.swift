import SystemIO

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
            if idle <= waiting.count, started < most, startThread({ [self] in serve() }) != nil { started += 1 }
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
