import TestSupport

@testable import RecordStream

extension Schema {
    /// The number of a column's first array.
    func firstArray(_ name: String) -> Int {
        var next = 0
        for column in columns {
            if column.name == name { return next }
            next += column.arrayCount
        }
        preconditionFailure("no column \(name)")
    }
}

extension DissectedBlock {
    init(_ payload: [UInt8], schema: Schema) { self.init(payload, arrayCount: schema.arrayCount) }
}
