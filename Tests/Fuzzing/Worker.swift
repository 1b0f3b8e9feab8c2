import Glibc
import TestSupport

/// What is wrong with how a mutant was handled.
struct Failure: Error {
    var message: String
    init(_ message: String) { self.message = message }
}

enum Outcome: String { case accepted, refused }

/// One process's share: mutants one after the other, under limits that end the process.
struct Worker {
    static let processorSeconds = 1
    static let wallSeconds = 60
    static let addressSpace: rlim_t = 1 << 30

    private let seeds: Range<UInt64>
    private let state: WorkerState

    /// - Parameter work: `FIRST:END:STATE`.
    init(_ work: String) throws {
        let parts = work.split(separator: ":", maxSplits: 2)
        guard parts.count == 3, let first = UInt64(parts[0]), let end = UInt64(parts[1]), first <= end else { throw Failure("no work: \(work)") }
        seeds = first ..< end
        state = try WorkerState(path: String(parts[2]), create: false)
    }

    func run() throws {
        let corpus = try Corpus(), folder = state.path + ".files"
        guard mkdir(folder, 0o700) == 0 else { throw Failure("\(folder) cannot be made") }
        defer { rmdir(folder) }
        Worker.limit()
        for seed in seeds {
            state.seed = seed
            let mutant = Mutant(seed, corpus)
            Worker.startTimers()
            do { state.count(mutant.family, try mutant.check(in: folder)) } catch {
                state.message = (error as? Failure)?.message ?? "an error of another kind: \(type(of: error)): \(error)"
                exit(1)
            }
        }
    }

    static func limit() {
        var space = rlimit(rlim_cur: addressSpace, rlim_max: addressSpace), none = rlimit(rlim_cur: 0, rlim_max: 0)
        precondition(setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &space) == 0 && setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0)
    }

    /// From now on the process has so much processor time and, should it wait for something that never comes, so much of the clock's.
    static func startTimers() {
        var limit = itimerval(it_interval: timeval(), it_value: timeval(tv_sec: processorSeconds, tv_usec: 0))
        precondition(setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &limit, nil) == 0)
        alarm(UInt32(wallSeconds))
    }
}

/// What a worker tells while it lives and leaves when it dies: a small file that both processes have mapped.
final class WorkerState {
    struct Tally {
        var counts = [UInt64](repeating: 0, count: 2 * Family.allCases.count)
        var total: UInt64 { counts.reduce(0, +) }

        static func += (tally: inout Tally, more: Tally) { for i in tally.counts.indices { tally.counts[i] += more.counts[i] } }

        var lines: [String] {
            Family.allCases.enumerated().map { number, family in
                let accepted = counts[2 * number], refused = counts[2 * number + 1]
                return "\(family.rawValue): \(accepted + refused) mutants, \(accepted) accepted, \(refused) refused"
            }
        }
    }

    private static let size = 4096, messageStart = 1024
    let path: String
    private let memory: UnsafeMutableRawPointer

    init(path: String, create: Bool) throws {
        self.path = path
        let descriptor = open(path, O_RDWR | (create ? O_CREAT : 0) | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        guard descriptor >= 0, !create || ftruncate(descriptor, Self.size) == 0,
            let start = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), start != MAP_FAILED
        else { throw Failure("\(path) cannot be mapped") }
        memory = start
    }

    deinit {
        munmap(memory, Self.size)
        unlink(path)
    }

    var seed: UInt64 {
        get { memory.load(as: UInt64.self) }
        set { memory.storeBytes(of: newValue, as: UInt64.self) }
    }

    var message: String {
        get { String(cString: (memory + Self.messageStart).assumingMemoryBound(to: CChar.self)) }
        set {
            let bytes = Array(newValue.utf8.prefix(Self.size - Self.messageStart - 1).filter { $0 != 0 }) + [0]
            (memory + Self.messageStart).copyMemory(from: bytes, byteCount: bytes.count)
        }
    }

    func count(_ family: Family, _ outcome: Outcome) {
        let at = 8 + 16 * (Family.allCases.firstIndex(of: family) ?? 0) + (outcome == .accepted ? 0 : 8)
        memory.storeBytes(of: memory.load(fromByteOffset: at, as: UInt64.self) + 1, toByteOffset: at, as: UInt64.self)
    }

    var tally: Tally {
        var tally = Tally()
        for i in tally.counts.indices { tally.counts[i] = memory.load(fromByteOffset: 8 + 8 * i, as: UInt64.self) }
        return tally
    }
}
