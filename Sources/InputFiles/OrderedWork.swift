import Glibc

/// Maps inputs to outputs on several threads and hands the outputs over in the order of the inputs, so that the result is that of one thread.
///
/// `next` and `deliver` run on the calling thread alone, `work` on `threads` others, each with a state of its own (a parser, buffers). At most
/// `2 * threads + 1` inputs are under way. What `work` throws is thrown when its turn comes: after everything before it was delivered.
public func mapInOrder<Input: Sendable, Output: Sendable, State>(
    threads: Int,
    next: () throws -> Input?,
    makeState: @escaping @Sendable () -> State,
    work: @escaping @Sendable (inout State, Input) throws -> Output,
    deliver: (Output) throws -> Void
) throws {
    if threads <= 1 {
        var state = makeState()
        while let input = try next() { try deliver(work(&state, input)) }
        return
    }
    let queue = WorkQueue<Input, Output>(capacity: 2 * threads + 1)
    var handles: [pthread_t] = []
    defer {
        queue.close()
        for handle in handles { pthread_join(handle, nil) }
    }
    for _ in 0..<threads {
        let body = ThreadBody {
            var state = makeState()
            while let (ticket, input) = queue.take() { queue.finish(ticket, Result { try work(&state, input) }) }
        }
        var handle = pthread_t()
        let context = Unmanaged.passRetained(body).toOpaque()
        guard pthread_create(&handle, nil, { context in
            guard let context else { return nil }
            Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run()
            return nil
        }, context) == 0 else {
            Unmanaged<ThreadBody>.fromOpaque(context).release()
            break
        }
        handles.append(handle)
    }
    if handles.isEmpty { return try mapInOrder(threads: 1, next: next, makeState: makeState, work: work, deliver: deliver) }
    var inputError: (any Error)?
    var atEnd = false
    while true {
        while !atEnd, queue.hasRoom {
            do {
                if let input = try next() { queue.add(input) } else { atEnd = true }
            } catch {
                // What was read before the error is still delivered, as one thread would have done.
                inputError = error
                atEnd = true
            }
        }
        guard let result = queue.takeOldest() else { break }
        try deliver(result.get())
    }
    if let inputError { throw inputError }
}

private final class ThreadBody: @unchecked Sendable {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
}

/// A ring of slots: `added - delivered` are in use, those before `taken` are worked on or finished. One mutex guards everything.
private final class WorkQueue<Input, Output>: @unchecked Sendable {
    private var inputs: [Input?]
    private var outputs: [Result<Output, any Error>?]
    private var added = 0, taken = 0, delivered = 0
    private var isClosed = false
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let hasWork = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let hasResult = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(capacity: Int) {
        inputs = Array(repeating: nil, count: capacity)
        outputs = Array(repeating: nil, count: capacity)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(hasWork, nil)
        pthread_cond_init(hasResult, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(hasWork)
        pthread_cond_destroy(hasResult)
        mutex.deallocate()
        hasWork.deallocate()
        hasResult.deallocate()
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    var hasRoom: Bool { locked { added - delivered < inputs.count } }

    func add(_ input: Input) {
        locked {
            inputs[added % inputs.count] = input
            added += 1
            pthread_cond_signal(hasWork)
        }
    }

    /// The next input for a worker, nil when the queue is closed.
    func take() -> (Int, Input)? {
        locked {
            while taken == added && !isClosed { pthread_cond_wait(hasWork, mutex) }
            guard !isClosed, let input = inputs[taken % inputs.count] else { return nil }
            let ticket = taken
            inputs[ticket % inputs.count] = nil
            taken += 1
            return (ticket, input)
        }
    }

    func finish(_ ticket: Int, _ result: Result<Output, any Error>) {
        locked {
            outputs[ticket % outputs.count] = result
            if ticket == delivered { pthread_cond_signal(hasResult) }
        }
    }

    /// Waits for the oldest result that was not delivered; nil when nothing is under way.
    func takeOldest() -> Result<Output, any Error>? {
        locked {
            guard delivered < added else { return nil }
            let slot = delivered % outputs.count
            while outputs[slot] == nil { pthread_cond_wait(hasResult, mutex) }
            defer {
                outputs[slot] = nil
                delivered += 1
            }
            return outputs[slot]
        }
    }

    func close() {
        locked {
            isClosed = true
            pthread_cond_broadcast(hasWork)
        }
    }
}
