/// Mean and spread of numbers as they come (Welford 1962), stable whatever their size. Sums are folded in the order of the records, so that they have the
/// same bits for any number of threads.
struct Moments: Sendable, Equatable {
    private(set) var count = 0
    private(set) var mean = 0.0
    /// Sum of the squares of the deviations from the mean.
    private var squares = 0.0

    mutating func add(_ x: Double) {
        count += 1
        let deviation = x - mean
        mean += deviation / Double(count)
        squares += deviation * (x - mean)
    }

    /// As if the other's numbers had been added too (Chan, Golub and LeVeque 1979).
    mutating func add(_ other: Moments) {
        guard other.count > 0 else { return }
        let total = Double(count + other.count), difference = other.mean - mean
        squares += other.squares + difference * difference * (Double(count) * Double(other.count) / total)
        mean += difference * (Double(other.count) / total)
        count += other.count
    }

    /// Of the numbers themselves, not of a population that they are a sample of; nil where there are none.
    var standardDeviation: Double? { count == 0 ? nil : (squares / Double(count)).squareRoot() }
}

/// Pearson's correlation of two numbers that come in pairs, gathered like `Moments`.
struct Correlation: Sendable, Equatable {
    private(set) var count = 0
    private var meanX = 0.0, meanY = 0.0
    private var squaresX = 0.0, squaresY = 0.0, products = 0.0

    mutating func add(_ x: Double, _ y: Double) {
        count += 1
        let share = 1 / Double(count), deviationX = x - meanX, deviationY = y - meanY
        meanX += deviationX * share
        meanY += deviationY * share
        squaresX += deviationX * (x - meanX)
        squaresY += deviationY * (y - meanY)
        products += deviationX * (y - meanY)
    }

    mutating func add(_ other: Correlation) {
        guard other.count > 0 else { return }
        let total = Double(count + other.count), share = Double(other.count) / total, weight = Double(count) * share
        let differenceX = other.meanX - meanX, differenceY = other.meanY - meanY
        squaresX += other.squaresX + differenceX * differenceX * weight
        squaresY += other.squaresY + differenceY * differenceY * weight
        products += other.products + differenceX * differenceY * weight
        meanX += differenceX * share
        meanY += differenceY * share
        count += other.count
    }

    /// With x for y.
    var swapped: Correlation {
        var result = self
        (result.meanX, result.meanY, result.squaresX, result.squaresY) = (meanY, meanX, squaresY, squaresX)
        return result
    }

    /// From -1 to 1; nil where one of the two is always the same, or there are fewer than two pairs.
    var r: Double? {
        guard count >= 2, squaresX > 0, squaresY > 0 else { return nil }
        return max(-1, min(1, products / (squaresX.squareRoot() * squaresY.squareRoot())))
    }
}
