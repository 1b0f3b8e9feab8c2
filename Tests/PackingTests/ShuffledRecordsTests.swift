import JSON
import RecordStream
import SystemIO
import TestSupport
import Testing

@testable import Packing

@Suite struct ShuffledRecordsTests {
    private func order(_ numbers: [Int], seed: UInt64) throws -> [Int] {
        var options = PackingOptions(maxLength: 64)
        options.order = .shuffled
        options.seed = seed
        options.openBins = 1
        return try TokenRecords.pack(numbers.map { TokenRecords.make($0, prompt: 3, responses: [2, 2]) }, options).bins.flatMap { $0.members.map { Int($0.origin.line) - 1 } }
    }

    @Test func orderIsOfSeedAndIdsAlone() throws {
        let one = try order(Array(0 ..< 500), seed: 7)
        #expect(one.sorted() == Array(0 ..< 500) && one != Array(0 ..< 500))
        #expect(try order(Array((0 ..< 500).reversed()), seed: 7) == one)
        #expect(try order(Array(0 ..< 500), seed: 8) != one)
        // A subset keeps its order.
        #expect(try order(Array(100 ..< 200), seed: 7) == one.filter { (100 ..< 200).contains($0) })
        // Pinned by fixtures/numerics/make_counter_random.py (stream 0x7061636B): a change of it is a change of the recipe.
        #expect(try order(Array(0 ..< 8), seed: 1) == [0, 5, 4, 1, 7, 3, 2, 6])
    }

    @Test func epochsAreOrdersOfTheirOwn() throws {
        func order(epoch: UInt64) throws -> [Int] {
            var options = PackingOptions(maxLength: 64)
            (options.order, options.epoch, options.openBins) = (.shuffled, epoch, 1)
            return try TokenRecords.pack((0 ..< 50).map { TokenRecords.make($0, prompt: 3, responses: [2, 2]) }, options).bins.flatMap { $0.members.map { Int($0.origin.line) - 1 } }
        }
        #expect(try order(epoch: 1) != order(epoch: 0) && order(epoch: 1) == order(epoch: 1))
    }

    /// Whatever the order of the input: all records once, groups of like lengths, groups in no order of length.
    @Test(arguments: [2, 16]) func groupsAreOfLikeLengths(group: Int) throws {
        let count = 64 * group + 3 * group + 1
        var options = PackingOptions(layout: .rows16, maxLength: 1 << 12)
        (options.order, options.seed, options.group) = (.grouped, 3, group)
        func lengths(_ numbers: [Int]) throws -> [(number: Int, length: Int)] {
            let records = numbers.map { number in
                var generator = SeededGenerator(seed: UInt64(number))
                return TokenRecords.make(number, prompt: 3, responses: [2, Int.random(in: 1 ... 1000, using: &generator)])
            }
            return try TokenRecords.pack(records, options).bins.map { bin in
                (Int(bin.members[0].origin.line) - 1, (bin.segments.map { Int($0.end - $0.start) }.max() ?? 0))
            }
        }
        let found = try lengths(Array(0 ..< count))
        #expect(found.map(\.number).sorted() == Array(0 ..< count))
        #expect(try lengths(Array((0 ..< count).reversed())).map(\.number) == found.map(\.number))
        let groups = stride(from: 0, to: 64 * group, by: group).map { found[$0 ..< $0 + group].map(\.length) }
        // A window's groups are its lengths in order, cut: sorted by their first, none reaches into the next.
        let sorted = groups.sorted { $0[0] > $1[0] }
        #expect(sorted.flatMap { $0 } == groups.flatMap { $0 }.sorted(by: >))
        #expect(groups.map { $0[0] } != sorted.map { $0[0] })
        #expect(found[(64 * group)...].count == 3 * group + 1)
    }

    @Test func idsThatAreNoNumbersAreFolded() {
        #expect(ShuffledRecords.number(of: Array("0123456789abcdeffedcba9876543210".utf8)) == (0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210))
        let odd = ["", "x", "0123456789ABCDEFFEDCBA9876543210", "0123456789abcdeffedcba987654321"].map { ShuffledRecords.number(of: Array($0.utf8)) }
        for (at, number) in odd.enumerated() { #expect(!odd[..<at].contains { $0 == number }) }
    }

    @Test func memoryIsBounded() throws {
        var options = PackingOptions(maxLength: 2048)
        options.order = .shuffled
        var packer = try Packer(options, shuffleMemory: 1 << 20)
        let message = "--order shuffled holds all records in memory, and after 104 they exceed 1 MiB; allow more (--shuffle-memory), or leave the order to training, which shuffles bins"
        #expect(throws: InputError(message)) {
            for number in 0 ..< 1000 { try packer.add(0, of: TokensColumns(TokenRecords.make(number, prompt: 400, responses: [400, 400]))) { _ in } }
        }
    }
}
