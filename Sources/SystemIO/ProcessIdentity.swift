import Glibc

/// Which process did something, so that another can tell later whether it still runs, where that can be told at all.
///
/// A process number alone says nothing: numbers are used again, and another machine or container has its own. With the kernel's boot, the number's and the
/// clock's namespaces and the process's start they are one process.
public struct ProcessIdentity: Sendable, Equatable {
    public enum State: Sendable { case alive, gone, unknown }

    /// Of the kernel since its start, and of the namespaces: where process numbers and start times mean the same.
    private var place: String
    private var number: pid_t
    /// Clock ticks from the kernel's start to the process's.
    private var start: UInt64

    /// This process; nil where /proc does not say.
    public static let current: ProcessIdentity? = {
        guard let place = place(), let start = start(of: getpid()) else { return nil }
        return ProcessIdentity(place: place, number: getpid(), start: start)
    }()

    init(place: String, number: pid_t, start: UInt64) {
        self.place = place
        self.number = number
        self.start = start
    }

    /// Reads `text` back; nil when it is none.
    public init?(_ text: String) {
        let fields = text.split(separator: " ")
        guard fields.count == 3, let number = pid_t(fields[1]), number > 0, let start = UInt64(fields[2]) else { return nil }
        self.init(place: String(fields[0]), number: number, start: start)
    }

    public var text: String { "\(place) \(number) \(start)" }

    /// Unknown on another machine, in another container and after the machine started anew.
    public var state: State {
        guard place == ProcessIdentity.place() else { return .unknown }
        if kill(number, 0) != 0, errno == ESRCH { return .gone }
        // Somebody has the number; /proc may hide who.
        return ProcessIdentity.start(of: number).map { $0 == start ? .alive : .gone } ?? .unknown
    }

    private static func place() -> String? {
        guard let boot = try? readWholeFile("/proc/sys/kernel/random/boot_id", limit: 100) else { return nil }
        let namespaces = ["pid", "time"].map { name -> String in
            var link = [UInt8](repeating: 0, count: 100)
            let length = link.withUnsafeMutableBytes { readlink("/proc/self/ns/\(name)", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count) }
            return String(decoding: link.prefix(max(0, length)), as: UTF8.self)
        }
        return ([String(decoding: boot.prefix { $0 > 0x20 }, as: UTF8.self)] + namespaces).joined(separator: "/")
    }

    /// Field 22 of /proc/N/stat. A process that ended and was not yet waited for counts as ended: its start is 0, which no process has.
    private static func start(of number: pid_t) -> UInt64? {
        guard let bytes = try? readWholeFile("/proc/\(number)/stat", limit: 1 << 16), let name = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        // The name, in parentheses, may hold anything; the state is the first field behind it.
        let fields = String(decoding: bytes[(name + 1)...], as: UTF8.self).split(separator: " ")
        guard fields.count > 19 else { return nil }
        return fields[0] == "Z" || fields[0] == "X" ? 0 : UInt64(fields[19])
    }
}
