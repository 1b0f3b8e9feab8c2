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
            for number in 0 ..< 1000 { try packer.add(TokenRecords.make(number, prompt: 400, responses: [400, 400])) { _ in } }
        }
    }
}
