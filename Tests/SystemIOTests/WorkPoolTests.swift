import Testing

@testable import SystemIO

@Suite struct WorkPoolTests {
    @Test(arguments: [1, 2, 3, 8]) func orderedMapKeepsOrder(workers: Int) throws {
        var next = 0
        var out: [Int] = []
        try orderedMap(
            workers: workers,
            produce: { () -> Int? in
                next += 1
                return next <= 1000 ? next : nil
            }, makeState: { 0 },
            transform: { (state: inout Int, input: Int) in
                state += 1
                return input * input
            }, consume: { out.append($0) })
        #expect(out == (1 ... 1000).map { $0 * $0 })
    }

    @Test(arguments: [1, 4]) func orderedMapStopsAtTheFirstError(workers: Int) {
        var next = 0
        var out: [Int] = []
        #expect(throws: InputError("input 500")) {
            try orderedMap(
                workers: workers,
                produce: { () -> Int? in
                    next += 1
                    return next
                }, makeState: { () },
                transform: { (_: inout Void, input: Int) in
                    if input >= 500 { throw InputError("input \(input)") }
                    return input
                }, consume: { out.append($0) })
        }
        #expect(out == Array(1 ..< 500))
    }

    /// With as few threads as there can be, the one that waits does all the work.
    @Test(arguments: [1, 2, 5]) func waitingIsWorking(threads: Int) throws {
        let pool = WorkPool(threads: threads)
        let promises = (0 ..< 100).map { i in pool.promise { () throws -> Int in
            if i == 60 { throw InputError("piece 60") }
            return i * i
        } }
        for (i, promise) in promises.enumerated().reversed() {
            if i == 60 {
                #expect(throws: InputError("piece 60")) { try promise.value.get() }
            } else {
                #expect(try promise.value.get() == i * i)
            }
        }
    }

    /// A result that is asked for while others are being made, from two threads at once.
    @Test func twoMayWait() throws {
        let pool = WorkPool(threads: 2)
        let sums = (0 ..< 50).map { round in
            let slow = pool.promise { (0 ..< 10_000).reduce(0, ^) }, quick = pool.promise { round }
            return quick.value + slow.value * 0
        }
        #expect(sums == Array(0 ..< 50))
    }

    /// What was handed in and not begun when an error ends the map never runs.
    @Test func nothingRunsAfterAnError() {
        let after = Counter()
        #expect(throws: InputError("stop")) {
            var next = 0
            try orderedMap(
                workers: 2, produce: { () -> Int? in
                    next += 1
                    return next
                }, makeState: {}, transform: { (_: inout Void, input: Int) in
                    after.add()
                    return input
                }, consume: { (_: Int) in throw InputError("stop") })
        }
        let ran = after.value
        #expect(ran >= 1 && ran <= 12)
        WorkPool.shared.promise {}.value
        #expect(after.value == ran)
    }
}

private final class Counter: @unchecked Sendable {
    private let lock = Lock()
    private var count = 0
    func add() { lock.whileHeld { count += 1 } }
    var value: Int { lock.whileHeld { count } }
}
