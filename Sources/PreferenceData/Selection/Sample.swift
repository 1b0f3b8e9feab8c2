/// How many records to choose, and by what.
public struct Sample: Sendable, Equatable {
    public enum Strata: String, Sendable, CaseIterable { case source }

    /// n > 0.
    public var count: Int
    /// What decides which ones.
    public var seed: UInt64
    /// What is to have the share in the sample that it has among the records; nil: nothing.
    public var strata: Strata?

    public init(count: Int, seed: UInt64 = 0, strata: Strata? = nil) {
        self.count = count
        self.seed = seed
        self.strata = strata
    }

    /// Divides the sample among strata in proportion to their sizes, by largest remainder (Hamilton); equal remainders go by the order of the strata.
    /// - Parameter sizes: records of each stratum.
    /// - Returns: records to take of each: `count` in sum, or all where there are no more.
    func shares(_ sizes: [Int]) -> [Int] {
        let total = sizes.reduce(0, +)
        guard count < total else { return sizes }
        let divided = sizes.map { total.dividingFullWidth(count.multipliedFullWidth(by: $0)) }
        var shares = divided.map(\.quotient)
        let byRemainder = sizes.indices.sorted { (divided[$1].remainder, $0) < (divided[$0].remainder, $1) }
        for stratum in byRemainder.prefix(count - shares.reduce(0, +)) { shares[stratum] += 1 }
        return shares
    }
}
