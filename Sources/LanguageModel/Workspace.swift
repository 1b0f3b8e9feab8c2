import Numerics

/// The engine's memory between calls: allocated for the largest tree seen so far, so that a step touches no new pages.
struct Workspace {
    let configuration: ModelConfiguration
    let rows: Int
    /// Rows with those that were computed before.
    let allRows: Int
    /// Layers whose inner activations are kept; the others are computed again on the way back.
    let keptLayers: Int
    let isForTraining: Bool
    private let buffer: FloatBuffer
    private let base: UnsafeMutablePointer<Float>

    // Offsets in `buffer`.
    private let inputs: Int, slots: Int
    private let slotFloats: Int

    /// Scratch that both ways use: [rows][hidden], [rows][intermediate].
    let normed: UnsafeMutablePointer<Float>, activated: UnsafeMutablePointer<Float>
    /// [rows][headSize / 2]
    let cosines: UnsafeMutablePointer<Float>, sines: UnsafeMutablePointer<Float>
    /// [keyValueWidth][acrossStride]: one layer's keys, transposed.
    let keysAcross: UnsafeMutablePointer<Float>, acrossStride: Int
    let backward: BackwardScratch?

    struct BackwardScratch {
        /// [rows][hidden]: the gradient that travels down the layers, and one of a norm's output.
        var stream: UnsafeMutablePointer<Float>, normed: UnsafeMutablePointer<Float>
        /// [rows][queryWidth], [rows][keyValueWidth]
        var queries: UnsafeMutablePointer<Float>, attended: UnsafeMutablePointer<Float>, keys: UnsafeMutablePointer<Float>
        var values: UnsafeMutablePointer<Float>
        /// [rows][heads]
        var dots: UnsafeMutablePointer<Float>
        /// [rows][intermediate]
        var activated: UnsafeMutablePointer<Float>, gate: UnsafeMutablePointer<Float>, up: UnsafeMutablePointer<Float>
    }

    /// What one layer leaves for its way back, besides its input.
    struct Slot {
        var inputInverse: UnsafeMutablePointer<Float>, queries: UnsafeMutablePointer<Float>, keys: UnsafeMutablePointer<Float>
        var values: UnsafeMutablePointer<Float>, attended: UnsafeMutablePointer<Float>, maxima: UnsafeMutablePointer<Float>
        var inverseSums: UnsafeMutablePointer<Float>, middle: UnsafeMutablePointer<Float>, middleInverse: UnsafeMutablePointer<Float>
        var gate: UnsafeMutablePointer<Float>, up: UnsafeMutablePointer<Float>
    }

    /// Hands out pieces that begin on cache lines.
    private struct Allotment {
        var end = 0
        mutating func take(_ count: Int) -> Int {
            defer { end = (end + count + 15) / 16 * 16 }
            return end
        }
    }

    /// - Parameter budget: bytes that kept activations may take; what does not fit is computed again, with the same bits.
    init(_ c: ModelConfiguration, rows: Int, allRows: Int, forTraining: Bool, budget: Int) throws {
        configuration = c
        self.rows = rows
        self.allRows = allRows
        // Not a power of two, whose lines would meet in the same sets of the cache; room for kernels that read beyond a line.
        acrossStride = (allRows + 15) / 16 * 16 + 48
        isForTraining = forTraining
        var one = Allotment()
        Workspace.layOut(c, rows: rows) { _ = one.take($0) }
        slotFloats = one.end
        let affordable = budget / (4 * max(1, slotFloats))
        keptLayers = forTraining ? min(c.layers, max(0, affordable)) : 0

        var allotment = Allotment()
        inputs = allotment.take(rows * c.hiddenSize * (forTraining ? c.layers + 1 : 1))
        slots = allotment.take(slotFloats * (keptLayers < c.layers ? keptLayers + 1 : keptLayers))
        let normed = allotment.take(rows * c.hiddenSize), activated = allotment.take(rows * c.intermediateSize)
        let cosines = allotment.take(rows * c.headSize / 2), sines = allotment.take(rows * c.headSize / 2)
        let keysAcross = allotment.take(acrossStride * c.keyValueWidth)
        var offsets: [Int] = []
        if forTraining {
            for width in [c.hiddenSize, c.hiddenSize, c.queryWidth, c.queryWidth, c.keyValueWidth, c.keyValueWidth, c.heads,
                          c.intermediateSize, c.intermediateSize, c.intermediateSize] {
                offsets.append(allotment.take(rows * width))
            }
        }
        buffer = try FloatBuffer.orInputError(count: allotment.end, what: "the activations of \(rows) tokens")
        let base = buffer.base
        self.base = base
        self.normed = base + normed
        self.activated = base + activated
        self.cosines = base + cosines
        self.sines = base + sines
        self.keysAcross = base + keysAcross
        backward = offsets.isEmpty ? nil : BackwardScratch(
            stream: base + offsets[0], normed: base + offsets[1], queries: base + offsets[2], attended: base + offsets[3], keys: base + offsets[4],
            values: base + offsets[5], dots: base + offsets[6], activated: base + offsets[7], gate: base + offsets[8], up: base + offsets[9])
    }

    /// The pieces of a slot in order; `slot(_:)` and the size both come from here.
    private static func layOut(_ c: ModelConfiguration, rows: Int, _ take: (Int) -> Void) {
        for width in [1, c.queryWidth, c.keyValueWidth, c.keyValueWidth, c.queryWidth, c.heads, c.heads, c.hiddenSize, 1, c.intermediateSize,
                      c.intermediateSize] {
            take(rows * width)
        }
    }

    func isKept(_ layer: Int) -> Bool { layer < keptLayers }

    /// A kept layer's own slot, or the one that the others share.
    func slot(_ layer: Int) -> Slot {
        var place = base + slots + slotFloats * min(layer, keptLayers)
        var pieces: [UnsafeMutablePointer<Float>] = []
        Workspace.layOut(configuration, rows: rows) { count in
            pieces.append(place)
            place += (count + 15) / 16 * 16
        }
        return Slot(inputInverse: pieces[0], queries: pieces[1], keys: pieces[2], values: pieces[3], attended: pieces[4], maxima: pieces[5],
                    inverseSums: pieces[6], middle: pieces[7], middleInverse: pieces[8], gate: pieces[9], up: pieces[10])
    }

    /// [rows][hidden]: what enters a layer; layer number `layers` stands for what leaves the last. One place for all of them when nothing is kept.
    func input(_ layer: Int) -> UnsafeMutablePointer<Float> {
        base + inputs + (isForTraining ? layer * rows * configuration.hiddenSize : 0)
    }
}
