import Glibc
import SystemIO
import TestSupport
import Testing

/// SIGKILL at seeded moments of each command's run, by the clock: 50, or as many as UFTOOLS_KILLS says (`make kill`: 200). FaultInjectionTests does the same at
/// every system call.
@Suite(.serialized) struct KilledAtAnyTimeTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var arguments: [String]
        /// The files of the result, and the one that appears last.
        var outputs: [String]
        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "convert", arguments: ["uf-convert", "raw.jsonl", "-j", "2", "-o", "out.uf"], outputs: ["out.uf"]),
        Case(name: "convert --shards", arguments: ["uf-convert", "raw.jsonl", "-j", "1", "--shards", "3", "-o", "out-%d-of-%d.uf"],
             outputs: ["out-0-of-3.uf", "out-1-of-3.uf", "out-2-of-3.uf", "out.MANIFEST"]),
        Case(name: "convert --split", arguments: ["uf-convert", "raw.jsonl", "-j", "1", "--split", "a=0.5,b=0.5", "-o", "out-%.uf"],
             outputs: ["out-a.uf", "out-b.uf"]),
        Case(name: "split", arguments: ["uf-records", "split", "--parts", "3", "rated.uf", "-o", "out-%.uf"],
             outputs: ["out-000.uf", "out-001.uf", "out-002.uf"]),
        Case(name: "shuffle", arguments: ["uf-records", "shuffle", "--memory", "0.1", "rated.uf", "-o", "out.uf"], outputs: ["out.uf"]),
    ]

    private static let kills = getenv("UFTOOLS_KILLS").flatMap { Int(String(cString: $0)) } ?? 50, old = Array("old".utf8)

    @Test(arguments: cases) func theResultIsAbsentOldOrWhole(test: Case) throws {
        let folder = TemporaryFolder(inMemory: true)
        let raw = Command.quoted(Fixtures.path("ultrafeedback/vicuna_bench.jsonl.gz"))
        let made = Command.shell("zcat \(raw) | head -30 > raw.jsonl; uf-convert raw.jsonl -o rated.uf", in: folder.path)
        #expect(made.status == 0, "\(made.errors)")
        func run(killedAfter microseconds: UInt32? = nil) throws -> Int32 {
            let words = test.arguments.map { $0.hasSuffix(".uf") || $0.hasSuffix(".jsonl") ? folder.file($0) : $0 }
            let process = try #require(RunningCommand(words))
            if let microseconds {
                usleep(microseconds)
                process.kill()
            }
            return process.wait()
        }
        func bytes(_ name: String) -> [UInt8]? { try? readWholeFile(folder.file(name)) }
        func hidden() -> [String] { folder.contents.filter { $0.hasPrefix(".") } }

        var times: [UInt64] = []
        for _ in 0 ..< 9 {
            let start = nanoseconds()
            #expect(try run() == 0)
            times.append((nanoseconds() - start) / 1000)
        }
        let duration = UInt32(times.sorted()[times.count / 2])
        let whole = try test.outputs.map { try #require(bytes($0)) }
        var generator = SeededGenerator(seed: 9), killed = 0, attempts = 0, appeared = 0, left = 0
        while killed < Self.kills, attempts < 5 * Self.kills {
            attempts += 1
            let hadOld = attempts % 2 == 0
            for name in test.outputs {
                unlink(folder.file(name))
                if hadOld { try Self.write(Self.old, to: folder.file(name)) }
            }
            guard try run(killedAfter: UInt32.random(in: 0 ... duration, using: &generator)) == 137 else { continue }
            killed += 1
            let found = test.outputs.map(bytes)
            for (index, name) in test.outputs.enumerated() {
                // A set's old list goes before its first new shard comes.
                let mayBeAbsent = !hadOld || name.hasSuffix("MANIFEST")
                #expect(found[index] == whole[index] || (hadOld && found[index] == Self.old) || (mayBeAbsent && found[index] == nil),
                        "kill \(killed): \(name) is neither absent, old nor whole")
            }
            if found.last == whole.last {
                appeared += 1
                #expect(found == whole, "kill \(killed): \(test.outputs.last ?? "") is there before the others")
            }
            if !hidden().isEmpty { left += 1 }
            #expect(try run() == 0, "kill \(killed): the next run failed")
            #expect(test.outputs.map(bytes) == whole, "kill \(killed): the next run made other bytes")
            #expect(hidden().isEmpty, "kill \(killed): \(hidden()) is left after the next run")
        }
        // Some of them met the command at work, with something to clear away.
        #expect(killed == Self.kills && left > 0, "\(killed) killed in \(attempts) runs, \(left) left something")
        print("\(test.name): \(killed) kills in \(attempts) runs; \(left) left something to clear, \(appeared) came after the result had appeared")
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        defer { close(descriptor) }
        try FileSink(descriptor: descriptor, name: path).write(bytes)
    }

    private func nanoseconds() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }
}
