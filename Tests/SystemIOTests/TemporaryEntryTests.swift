import Glibc
import TestSupport
import Testing

@testable import SystemIO

@Suite struct TemporaryEntryTests {
    let folder = TemporaryFolder()
    private var target: String { folder.file("out") }

    private func put(_ path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT, 0o666)
        #expect(descriptor >= 0 && Glibc.write(descriptor, "x", 1) == 1)
        close(descriptor)
    }

    private func last(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }

    /// What a dead process left goes; what a live one holds, of another target or of the user's own stays.
    @Test func removesWhatNobodyHolds() throws {
        let held = try TemporaryEntry.make(.file, beside: target, name: "out"), heldFolder = try TemporaryEntry.make(.folder, beside: target, name: "out")
        put(heldFolder.path + "/part")
        let stem = String(held.path.dropLast("\(getpid())".count))
        for number in ["1", "99999999", "7-1"] { put(stem + number) }
        #expect(mkdir(stem + "5", 0o777) == 0 && mkdir(stem + "6", 0o777) == 0 && mkdir(stem + "6/inner", 0o777) == 0)
        put(stem + "5/part")
        let others = [stem + "x", folder.file(".out.tmp-12345678-1"), folder.file(".other" + last(stem).dropFirst(4) + "1"), folder.file("out")]
        others.forEach(put)
        #expect(symlink(folder.file("out"), stem + "8") == 0)
        TemporaryEntry.removeStale(beside: target)
        let left = Set(([held.path, heldFolder.path, stem + "8", stem + "6"] + others).map(last))
        #expect(Set(folder.contents) == left, "\(folder.contents)")
        #expect(access(heldFolder.path + "/part", F_OK) == 0)
        close(held.descriptor)
        close(heldFolder.descriptor)
        TemporaryEntry.removeStale(beside: target)
        #expect(Set(folder.contents) == left.subtracting([last(held.path), last(heldFolder.path)]), "\(folder.contents)")
    }

    /// Two writers with one process number, as two containers have, keep apart; a dead one's file is taken over empty.
    @Test func theSameNumberTwice() throws {
        let first = try TemporaryEntry.make(.file, beside: target, name: "out"), second = try TemporaryEntry.make(.file, beside: target, name: "out")
        #expect(first.path != second.path && folder.contents.count == 2)
        #expect(Glibc.write(first.descriptor, "stale", 5) == 5)
        close(first.descriptor)
        let third = try TemporaryEntry.make(.file, beside: target, name: "out")
        #expect(third.path == first.path)
        #expect(try readWholeFile(third.path).isEmpty)
        close(second.descriptor)
        close(third.descriptor)
    }

    @Test func aFinishedFileTidiesUp() throws {
        let abandoned = try TemporaryEntry.make(.file, beside: target, name: "out")
        close(abandoned.descriptor)
        for keepsEqual in [false, true] {
            put(abandoned.path)
            let file = try AtomicFile(path: target, keepsEqual: keepsEqual)
            try file.write("new")
            try file.finish()
            #expect(folder.contents == ["out"], "\(keepsEqual)")
        }
    }
}

@Suite struct ProcessIdentityTests {
    @Test func thisProcessIsAlive() throws {
        let current = try #require(ProcessIdentity.current)
        #expect(current.state == .alive)
        #expect(ProcessIdentity(current.text) == current)
    }

    /// The same number with another start is another process; a number of another boot, machine or container says nothing.
    @Test func othersAreNotTakenForIt() throws {
        let fields = try #require(ProcessIdentity.current).text.split(separator: " ").map(String.init)
        #expect(ProcessIdentity("\(fields[0]) \(fields[1]) \(fields[2])0")?.state == .gone)
        #expect(ProcessIdentity("other/pid:[1]/time:[1] \(fields[1]) \(fields[2])")?.state == .unknown)
        for text in ["", "a b", "a -1 2", "a 0 2", "a 1 x", "a 1 2 3"] { #expect(ProcessIdentity(text) == nil, "\(text)") }
    }

    /// Also while its parent has not yet asked how it ended.
    @Test func aProcessThatEndedIsGone() throws {
        let place = try #require(ProcessIdentity.current?.text.split(separator: " ").first)
        var pid = pid_t()
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/sleep"), strdup("60"), nil]
        #expect(posix_spawn(&pid, "/bin/sleep", nil, nil, &arguments, environ) == 0)
        arguments.forEach { free($0) }
        let stat = try #require(String(decoding: readWholeFile("/proc/\(pid)/stat"), as: UTF8.self).split(separator: ")").last).split(separator: " ")
        let child = try #require(ProcessIdentity("\(place) \(pid) \(stat[19])"))
        #expect(child.state == .alive)
        kill(pid, SIGKILL)
        var info = siginfo_t()
        #expect(waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) == 0)
        #expect(child.state == .gone)
        #expect(waitpid(pid, nil, 0) == pid)
        #expect(child.state == .gone)
    }
}
