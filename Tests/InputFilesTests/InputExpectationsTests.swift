import Checksums
import SystemIO
import TestSupport
import Testing
@testable import InputFiles

@Suite struct InputExpectationsTests {
    private func message(_ expectations: InputExpectations, records: Int = 3) throws -> String? {
        let inputs = DecodedInputs(["a", "b.tar"]) { name in
            name == "a" ? MemorySource(Array("one".utf8), name: name) : MemorySource(ArchiveMaker.make(.tar, .gzip, [("x", Array("two".utf8)), ("y", [])]), name: name)
        }
        while try inputs.next() { try inputs.skip() }
        do { try expectations.check(inputs, records: records) } catch let error as InputError {
            #expect(error.status == .invalidData)
            return error.message
        }
        return nil
    }

    @Test func digestsInOrder() throws {
        let right = ["one", "two", ""].map { SHA256.hexDigest(of: Array($0.utf8)) }, cut = SHA256.hexDigest(of: Array("tw".utf8))
        #expect(try message(InputExpectations()) == nil && message(InputExpectations(sha256: right)) == nil)
        #expect(try message(InputExpectations(sha256: [right[0], cut, right[2]]))
                == "b.tar: x: the SHA-256 of the decoded bytes is \(right[1]), expected \(cut): the input is cut, altered or another; copy or fetch it again")
        #expect(try message(InputExpectations(sha256: [right[1], right[0], right[2]]))?.hasPrefix("a: the SHA-256 of the decoded bytes is \(right[0])") == true)
        #expect(try message(InputExpectations(sha256: Array(right[..<2]))) == "3 inputs, expected 2, one for each --expect-sha256; a file of an archive is an input of its own")
        #expect(try message(InputExpectations(sha256: right + right)) == "3 inputs, expected 6, one for each --expect-sha256; a file of an archive is an input of its own")
    }

    @Test func numberOfRecords() throws {
        #expect(try message(InputExpectations(records: 3)) == nil)
        #expect(try message(InputExpectations(records: 4)) == "read 3 records, expected 4 (--expect-records): the input is cut, longer or another; copy or fetch it again")
        #expect(try message(InputExpectations(records: 0), records: 1) == "read 1 record, expected 0 (--expect-records): the input is cut, longer or another; copy or fetch it again")
    }
}
