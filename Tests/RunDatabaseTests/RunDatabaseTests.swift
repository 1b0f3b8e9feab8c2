import Glibc
import SystemIO
import TestSupport
import Testing

@testable import RunDatabase
import SQLite

@Suite struct RunDatabaseTests {
    let folder = TemporaryFolder()

    @Test func keepsWhatWasWritten() throws {
        let path = folder.file("runs.db")
        let training = RunDescription(
            command: "uf-train dpo", label: "first", options: #"{"beta":0.1}"#, modelDigest: "aa", dataDigest: "bb", seed: .max, machine: #"{"cpu":"x"}"#)
        let results = [
            EvaluationResult(task: "preference", metric: "reward_accuracy", split: "test", dimension: "honesty", value: 0.7, standardError: 0.1, low: 0.5, high: 0.9, chance: 0.5, count: 60),
            EvaluationResult(task: "preference", metric: "kl", value: .nan, count: 0),
        ]
        do {
            let database = try RunDatabase(path: path)
            let run = try database.startRun(training)
            #expect(run == 1)
            try database.append([Metric("loss", 0.5), Metric("loss", dimension: "honesty", 0.25)], step: 1, run: run)
            try database.append([(2, [Metric("loss", 1e-300)]), (3, [Metric("loss", .infinity), Metric("norm", .nan)])], run: run)
            try database.finishRun(run)
            #expect(try database.record(RunDescription(command: "uf-eval preference", label: "after"), results: results) == 2)
        }
        let database = try RunDatabase(reading: path)
        let runs = try database.runs()
        #expect(runs.map(\.description) == [training, RunDescription(command: "uf-eval preference", label: "after")])
        #expect(runs.map(\.status) == [.finished, .finished])
        #expect(runs[0].started.count == 24 && runs[0].started.hasSuffix("Z") && runs[0].finished != nil)
        let metrics = try database.metrics(of: 1)
        #expect(metrics.map { "\($0.step) \($0.metric.name) \($0.metric.dimension) \($0.metric.value)" }
            == ["1 loss  0.5", "1 loss honesty 0.25", "2 loss  1e-300", "3 loss  inf", "3 norm  nan"])
        let found = try database.results(of: 2)
        #expect(found[0] == results[0])
        #expect(found[1].value.isNaN && found[1].low == nil && found[1].metric == "kl" && found.count == 2)
        #expect(try database.run(labelled: "after")?.id == 2)
        #expect(try database.run(labelled: "none") == nil)
        #expect(folder.contents == ["runs.db"])
    }

    @Test func resumingForgetsLaterSteps() throws {
        let database = try RunDatabase(path: folder.file("runs.db"))
        let run = try database.startRun(RunDescription(command: "uf-train"))
        for step in 1 ... 5 { try database.append([Metric("loss", Double(step))], step: step, run: run) }
        try database.finishRun(run, status: .stopped)
        try database.resumeRun(run, after: 3)
        #expect(try database.metrics(of: run).map(\.step) == [1, 2, 3])
        #expect(try database.run(run)?.status == .running)
        #expect(try database.run(run)?.finished == nil)
        #expect(throws: InputError("\(folder.file("runs.db")): no run 9")) { try database.resumeRun(9, after: 0) }
        #expect(throws: InputError("\(folder.file("runs.db")): no run 9")) { try database.finishRun(9) }
    }

    @Test func aFailedTransactionLeavesNothing() throws {
        let database = try RunDatabase(path: folder.file("runs.db"))
        let run = try database.startRun(RunDescription(command: "uf-train"))
        try database.append([Metric("loss", 1)], step: 2, run: run)
        // Step 2 has a loss already: the whole call is undone, also its step 1.
        #expect(throws: InputError.self) { try database.append([(1, [Metric("loss", 1)]), (2, [Metric("loss", 1)])], run: run) }
        #expect(try database.metrics(of: run).map(\.step) == [2])
        let twice = EvaluationResult(task: "t", metric: "m", value: 1, count: 1)
        #expect(throws: InputError.self) { _ = try database.record(RunDescription(command: "uf-eval"), results: [twice, twice]) }
        #expect(try database.runs().count == 1)
        #expect(throws: InputError.self) { try database.append([Metric("loss", 1)], step: 1, run: 77) }
        #expect(throws: InputError.self) { _ = try database.startRun(RunDescription(command: "uf-train", options: "{not json")) }
        // The connection still works.
        try database.append([Metric("loss", 3)], step: 3, run: run)
    }

    /// What a kill leaves is the file and its journal as they are at that moment: copied at every point of a transaction that is large
    /// enough for SQLite to have written pages into the file, each copy must open with the old content and nothing else.
    @Test func aKillAtAnyMomentLeavesTheLastWholeState() throws {
        let path = folder.file("runs.db"), copy = folder.file("copy.db")
        let database = try RunDatabase(path: path)
        let run = try database.startRun(RunDescription(command: "uf-train"))
        try database.append([Metric("loss", 0.5)], step: 0, run: run)
        // One page of cache: changed pages go to the file long before the commit.
        try database.connection.execute("PRAGMA cache_size = 1; PRAGMA cache_spill = 1")
        var changedFile = 0
        let before = try readWholeFile(path)
        try database.connection.transaction {
            let insert = try database.connection.prepare("INSERT INTO metrics VALUES (1, ?, 'a name that takes some room in a page of the file', '', 1.5)")
            for step in 1 ... 2000 {
                try insert.run([.integer(Int64(step))])
                if step % 100 == 0 {
                    let bytes = try readWholeFile(path)
                    if bytes != before { changedFile += 1 }
                    try write(bytes, to: copy)
                    try write(readWholeFile(path + "-journal"), to: copy + "-journal")
                    let survivor = try RunDatabase(path: copy)
                    #expect(try survivor.metrics(of: run).map(\.step) == [0], "killed after \(step) rows")
                }
            }
        }
        #expect(changedFile > 0, "no page reached the file before the commit: the test shows nothing")
        #expect(try database.metrics(of: run).count == 2001)
    }

    @Test func writersWaitForEachOther() async throws {
        let path = folder.file("runs.db")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0 ..< 4 {
                group.addTask {
                    let database = try RunDatabase(path: path)
                    let run = try database.startRun(RunDescription(command: "uf-train", label: "\(writer)"))
                    for step in 0 ..< 25 { try database.append([Metric("loss", Double(step)), Metric("norm", 1)], step: step, run: run) }
                    try database.finishRun(run)
                }
            }
            try await group.waitForAll()
        }
        let database = try RunDatabase(reading: path)
        let runs = try database.runs()
        #expect(Set(runs.map(\.description.label)) == ["0", "1", "2", "3"])
        for run in runs { #expect(try database.metrics(of: run.id).count == 50, "run \(run.id)") }
    }

    @Test func otherFilesAreRefused() throws {
        let text = folder.file("text"), empty = folder.file("empty"), foreign = folder.file("foreign"), newer = folder.file("newer")
        try write(Array(String(repeating: "not a database\n", count: 100).utf8), to: text)
        #expect(throws: InputError("\(text): not an SQLite database; give one that uf commands made, or a name that does not exist yet")) { try RunDatabase(path: text) }
        #expect(throws: InputError("\(text): not an SQLite database; give one that uf commands made, or a name that does not exist yet")) { try RunDatabase(reading: text) }
        #expect(throws: InputError("\(empty): cannot be opened for reading: No such file or directory", status: .missingInput)) { try RunDatabase(reading: empty) }
        #expect(throws: InputError("\(folder.file("absent/x.db")): cannot be created: No such file or directory", status: .cannotCreate)) { try RunDatabase(path: folder.file("absent/x.db")) }
        // A file of no bytes is what a kill before the first transaction leaves: it is taken as new.
        try write([], to: empty)
        _ = try RunDatabase(path: empty)
        try Connection(path: foreign, writable: true).execute("CREATE TABLE songs (name TEXT)")
        #expect(throws: InputError("\(foreign): an SQLite database that uf commands did not make for this; give another file name")) { try RunDatabase(path: foreign) }
        _ = try RunDatabase(path: newer)
        try Connection(path: newer, writable: true).execute("PRAGMA user_version = 2")
        let message = "\(newer): schema version 2, expected 1; use the release of uftools that wrote it, or another file name"
        #expect(throws: InputError(message)) { try RunDatabase(path: newer) }
        #expect(throws: InputError(message)) { try RunDatabase(reading: newer) }
    }

    /// Damage is reported as such or does no harm; it never ends the process.
    @Test func damagedFilesDoNotTrap() throws {
        let path = folder.file("runs.db"), damaged = folder.file("damaged.db")
        do {
            let database = try RunDatabase(path: path)
            _ = try database.record(RunDescription(command: "uf-eval"), results: (0 ..< 50).map { EvaluationResult(task: "t", metric: "m\($0)", value: 1, count: 1) })
        }
        let bytes = try readWholeFile(path)
        var generator = SeededGenerator(seed: 7)
        var refused = 0
        for _ in 0 ..< 200 {
            var changed = bytes
            if Bool.random(using: &generator) {
                changed.removeLast(Int.random(in: 1 ..< bytes.count, using: &generator))
            } else {
                for _ in 0 ..< 20 { changed[Int.random(in: 0 ..< bytes.count, using: &generator)] = .random(in: 0 ... 255, using: &generator) }
            }
            try write(changed, to: damaged)
            do {
                let database = try RunDatabase(reading: damaged)
                for run in try database.runs() { _ = try (database.results(of: run.id), database.metrics(of: run.id)) }
            } catch is InputError {
                refused += 1
            }
        }
        #expect(refused > 50)
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        let file = try AtomicFile(path: path)
        try file.write(bytes)
        try file.finish()
    }
}
