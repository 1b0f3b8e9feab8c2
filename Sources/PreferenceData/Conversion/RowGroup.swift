import InputFiles
import RecordStream
import SystemIO

/// A record, or the rows of one prompt that followed each other, with the place of the first.
struct RowGroup: Sendable {
    var record: RawPreference
    var place: RecordPlace

    /// A file with more rows of one prompt is no comparison of responses, and its memory would have no bound.
    private static let mostRows = 4096

    /// Takes up the rows that follow, if they answer the same prompt of the same input.
    mutating func join(_ next: RowGroup) throws -> Bool {
        guard record.isRow, next.record.isRow, place.input == next.place.input, record.turns == next.record.turns, record.source == next.record.source,
              record.dimensions == next.record.dimensions else { return false }
        guard record.responses.count + next.record.responses.count <= RowGroup.mostRows else {
            throw InputError("\(place): more than \(RowGroup.mostRows) rows of its prompt follow each other; are these responses to compare?")
        }
        let first = record
        record = first.rerated { joined in
            joined.responses += next.record.responses
            joined.models += next.record.models
            for k in first.dimensions.indices { joined.rate(first.dimensions[k], in: first.ranges[k], first.ratings(k) + next.record.ratings(k)) }
        }
        return true
    }
}
