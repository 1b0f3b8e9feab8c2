import RecordStream

/// A record's lambda in one epoch.
struct RecordLambda {
    /// m weights, 0 for dimensions that are not in use.
    var weights: [Double]
    /// False when no dimension that lambda asks for is in use: the record has no loss.
    var isUsed: Bool

    init(_ schedule: LambdaSchedule, _ member: PackedBin.Member, epoch: Int, seed: UInt64) throws {
        let present = LambdaDPO.dimensionsInUse(member.ratings, responses: member.responseCount)
        let weights = try schedule.weights(seed: seed, epoch: UInt64(epoch), record: member.id, dimensions: member.ratings.dimensions, present: present)
        self.weights = weights ?? present.map { _ in 0 }
        isUsed = weights != nil
    }
}
