import InputFiles
import RecordStream

/// A record, or the rows of one prompt that followed each other, with the place of the first.
struct RowGroup: Sendable {
    var record: RawPreference
    var place: RecordPlace

    /// Takes up the row that follows, if it answers the same prompt of the same input.
    mutating func join(_ next: RowGroup) -> Bool {
        guard record.isRow, next.record.isRow, place.input == next.place.input, record.turns == next.record.turns, record.source == next.record.source,
              record.dimensions == next.record.dimensions else { return false }
        let first = record
        record = first.rerated { joined in
            joined.responses += next.record.responses
            joined.models += next.record.models
            for k in first.dimensions.indices { joined.rate(first.dimensions[k], in: first.ranges[k], first.ratings(k) + next.record.ratings(k)) }
        }
        return true
    }
}
