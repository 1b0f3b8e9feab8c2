import RunDatabase
import SystemIO
import TestSupport
import Testing

@testable import Evaluation

@Suite struct RunStateTests {
    /// What the database calls running is what its process says, and nothing where none is named or it is of elsewhere.
    @Test func runningIsNotTakenOnTrust() throws {
        let folder = TemporaryFolder()
        let database = try RunDatabase(path: folder.file("runs.sqlite"))
        let current = try #require(ProcessIdentity.current).text
        let machines = ["{}", "{\"process\":null}", "{\"process\":\"some text\"}", "{\"process\":\"x\(current)\"}", "{\"process\":\"\(current)\"}", "{\"process\":\"\(current)0\"}"]
        for machine in machines { _ = try database.startRun(RunDescription(command: "uf-train", machine: machine)) }
        #expect(try database.runs().map { RunState($0) } == [.unfinished, .unfinished, .unfinished, .unfinished, .running, .interrupted])
        for (id, status) in zip(Int64(1)..., [RunStatus.finished, .failed, .stopped]) { try database.finishRun(id, status: status) }
        #expect(try database.runs().prefix(3).map { RunState($0) } == [.finished, .failed, .stopped])
    }
}
