import CNumerics
import Glibc
import Numerics

/// The rows that the output weights are applied to: each row of the tree once, however many tokens are scored after it.
struct HeadRows {
    /// Rows of the tree, ascending.
    let rows: [Int]
    /// For each scored token its place in `rows`.
    let places: [Int32]
    /// Scored tokens by place: those of place p are order[starts[p] ..< starts[p + 1]], in the order they were given.
    let starts: [Int], order: [Int]
    private let buffer: FloatBuffer
    /// [rows][hidden]: the last layer's output, and its norm.
    let inputs: UnsafeMutablePointer<Float>, normed: UnsafeMutablePointer<Float>
    /// [rows]: of the final norm; the greatest logit of a row.
    let inverse: UnsafeMutablePointer<Float>, greatest: UnsafeMutablePointer<Float>
    /// [rows]: the sum of exp(logit - greatest).
    let sums: UnsafeMutablePointer<Double>

    init(_ scored: ScoredTokens, _ configuration: ModelConfiguration) throws {
        let sorted = (0 ..< scored.count).sorted { (scored.rows[$0], $0) < (scored.rows[$1], $1) }
        var rows: [Int] = [], starts: [Int] = [], places = [Int32](repeating: 0, count: scored.count)
        for (position, index) in sorted.enumerated() {
            if rows.last != scored.rows[index] {
                rows.append(scored.rows[index])
                starts.append(position)
            }
            places[index] = Int32(rows.count - 1)
        }
        starts.append(sorted.count)
        self.rows = rows
        self.places = places
        self.starts = starts
        order = sorted
        let count = (rows.count + 15) / 16 * 16
        buffer = try FloatBuffer.orInputError(count: count * (2 * configuration.hiddenSize + 4), what: "the scored rows")
        inputs = buffer.base
        normed = inputs + count * configuration.hiddenSize
        inverse = normed + count * configuration.hiddenSize
        greatest = inverse + count
        sums = UnsafeMutableRawPointer(greatest + count).bindMemory(to: Double.self, capacity: count)
    }
}

/// The final norm, the output weights and the log-softmax, by tiles of rows and vocabulary: the matrix of all logits never exists.
extension LanguageModel {
    static let headRows = 256, headColumns = 512

    func scoreHead(_ head: HeadRows, _ adapted: AdaptedRows?, _ scored: ScoredTokens, wantsGreedy: Bool) throws -> Scores {
        let c = configuration, rows = head.rows.count, matrix = headMatrix
        guard rows > 0 else { return Scores(logProbs: [], greedy: [], greedyLogProbs: []) }
        normHead(head)
        let rowTiles = Tiling(rows, atMost: LanguageModel.headRows), columnTiles = Tiling(c.vocabularySize, atMost: LanguageModel.headColumns)
        let perWorker = LanguageModel.headRows * LanguageModel.headColumns
        let scratch = try prepareScratch(floatsPerWorker: perWorker)
        let parts = PartialSums(tiles: columnTiles.count, rows: rows)
        project(head.normed, rows: rows, matrix, adapted)
        var targetLogits = [Float](repeating: 0, count: scored.count)
        targetLogits.withUnsafeMutableBufferPointer { targetLogits in
            nonisolated(unsafe) let targetLogits = targetLogits
            pool.run(tiles: rowTiles.count * columnTiles.count) { tile, worker in
                let row = rowTiles[tile / columnTiles.count], columnTile = tile % columnTiles.count, column = columnTiles[columnTile]
                let logits = scratch + worker * perWorker
                linearTile(head.normed, rows: row, matrix, outputs: column, adapted, into: logits, stride: column.count)
                let part = columnTile * rows + row.lowerBound
                uf_log_sum_exp_part(logits, row.count, column.count, column.count, parts.greatest + part, wantsGreedy ? parts.places + part : nil,
                                    parts.sums + part)
                for place in row {
                    for position in head.starts[place] ..< head.starts[place + 1] {
                        let index = head.order[position], target = Int(scored.targets[index])
                        if column.contains(target) {
                            targetLogits[index] = logits[(place - row.lowerBound) * column.count + target - column.lowerBound]
                        }
                    }
                }
            }
        }
        var greedyOfRow = [UInt32](repeating: 0, count: wantsGreedy ? rows : 0)
        for row in 0 ..< rows {
            var greatest = parts.greatest[row], winner = 0, sum = 0.0
            for tile in 1 ..< max(1, columnTiles.count) where parts.greatest[tile * rows + row] > greatest {
                greatest = parts.greatest[tile * rows + row]
                winner = tile
            }
            for tile in 0 ..< columnTiles.count {
                sum += parts.sums[tile * rows + row] * exp(Double(parts.greatest[tile * rows + row]) - Double(greatest))
            }
            head.greatest[row] = greatest
            head.sums[row] = sum
            if wantsGreedy { greedyOfRow[row] = UInt32(columnTiles[winner].lowerBound) + parts.places[winner * rows + row] }
        }
        var scores = Scores(logProbs: [], greedy: [], greedyLogProbs: [])
        scores.logProbs.reserveCapacity(scored.count)
        for index in 0 ..< scored.count {
            let place = Int(head.places[index])
            scores.logProbs.append(Double(targetLogits[index]) - Double(head.greatest[place]) - log(head.sums[place]))
            guard wantsGreedy else { continue }
            scores.greedy.append(greedyOfRow[place])
            scores.greedyLogProbs.append(-log(head.sums[place]))
        }
        return scores
    }

    func normHead(_ head: HeadRows) {
        kernels.rmsNorm(head.inputs, weight: arena + parameters.layout.finalNorm, rows: head.rows.count, width: configuration.hiddenSize,
                        epsilon: configuration.normEpsilon, into: head.normed, inverseRMS: head.inverse)
    }

    /// What each tile of the vocabulary contributes to each row's log-softmax: [tiles][rows].
    private final class PartialSums {
        let greatest: UnsafeMutablePointer<Float>, places: UnsafeMutablePointer<UInt32>, sums: UnsafeMutablePointer<Double>

        init(tiles: Int, rows: Int) {
            greatest = .allocate(capacity: tiles * rows)
            places = .allocate(capacity: tiles * rows)
            sums = .allocate(capacity: tiles * rows)
        }

        deinit {
            greatest.deallocate()
            places.deallocate()
            sums.deallocate()
        }
    }
}
