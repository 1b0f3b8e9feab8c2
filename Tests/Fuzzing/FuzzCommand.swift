import ArgumentParser
import Glibc
import TestSupport

/// Mutants of every kind of input, each made from a number and given to the library as the commands give it.
///
/// What is expected of each: an `InputError` of one line, or success that holds together when it is read again. What is not: a trap, more than a second of
/// processor time, more than a gigabyte of address space, an error of another kind.
struct FuzzCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uf-fuzz", abstract: "Give mutated inputs to the library; status 1 when one of them is not handled.")

    @Option(help: "How many mutants.")
    var count: UInt64 = 1_000_000

    @Option(help: "The first of their numbers.")
    var first: UInt64 = 1

    @Option(name: .shortAndLong, help: "Processes at once.")
    var jobs = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    @Option(help: "Only this mutant, told in full and written to mutant-SEED in the current folder.")
    var seed: UInt64?

    @Option(help: .hidden)
    var worker: String?

    func run() throws {
        if let worker { return try Worker(worker).run() }
        if let seed { return try repeated(seed) }
        guard try Campaign(seeds: first ..< first + count, jobs: jobs).run() == 0 else { throw ExitCode.failure }
    }

    private func repeated(_ seed: UInt64) throws {
        let mutant = try Mutant(seed, Corpus())
        try mutant.write()
        print("mutant \(seed): \(mutant.description), \(mutant.bytes.count) bytes, written to \(mutant.fileName)")
        Worker.limit()
        let folder = TemporaryFolder()
        Worker.startTimers()
        do { print("\(try mutant.check(in: folder.path))") } catch let failure as Failure {
            print("not handled: \(failure.message)")
            throw ExitCode.failure
        }
    }
}
