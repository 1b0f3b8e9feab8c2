import SystemIO

/// What whoever calls a command knows of its inputs: so the tail that a pipe lost before it came here is missed.
public struct InputExpectations: Sendable {
    /// Records of all inputs together: lines that are not blank, or elements.
    public var records: Int?
    /// SHA-256 of the decoded bytes of each input, in order, as 64 lower-case hexadecimal digits; empty: any.
    public var sha256: [String]

    public init(records: Int? = nil, sha256: [String] = []) {
        self.records = records
        self.sha256 = sha256
    }

    /// Throws `InputError` with what was found and expected. Only after all inputs were read to their ends.
    public func check(_ inputs: DecodedInputs, records found: Int) throws {
        let digests = inputs.digests
        if !sha256.isEmpty {
            for (input, expected) in zip(digests.indices, sha256) where digests[input].sha256 != expected {
                throw InputError("\(inputs.names[input]): the SHA-256 of the decoded bytes is \(digests[input].sha256), expected \(expected): "
                    + "the input is cut, altered or another; copy or fetch it again")
            }
            guard digests.count == sha256.count else {
                throw InputError("\(counted(digests.count, "input")), expected \(sha256.count), one for each --expect-sha256; "
                    + "a file of an archive is an input of its own")
            }
        }
        if let records, records != found {
            throw InputError("read \(counted(found, "record")), expected \(records) (--expect-records): "
                + "the input is cut, longer or another; copy or fetch it again")
        }
    }
}
