/// A division of prompts into named parts, and which of them are wanted. A prompt's part depends on its text alone, so it is the same in every
/// file, order and run, and no prompt stands in two parts. Where the shares sum to less than 1, the rest of the prompts is in no part.
public struct Split: Sendable, Equatable {
    public struct Part: Sendable, Equatable {
        public var name: String
        public var share: Double
    }

    public let parts: [Part]
    /// Index of the part that alone is wanted; nil: all are.
    public private(set) var wanted: Int?
    /// Where each part ends on the line from 0 to 1.
    private let bounds: [Double]

    /// - Parameters:
    ///   - description: `train=0.9,test=0.1`; the shares sum to 1 at the most.
    ///   - part: which one to keep; nil: all.
    public init(_ description: String, part: String?) throws {
        var parts: [Part] = []
        for field in description.split(separator: ",", omittingEmptySubsequences: false) {
            guard let equals = field.firstIndex(of: "="), equals != field.startIndex,
                  let share = decimalNumber(field[field.index(after: equals)...].utf8), share > 0 else {
                throw OptionFault("\"\(field)\" is no part of a split; expected NAME=SHARE,NAME=SHARE with shares above 0, as in train=0.9,test=0.1")
            }
            let name = String(field[..<equals])
            guard !parts.contains(where: { $0.name == name }) else { throw OptionFault("the part \"\(name)\" stands twice in the split") }
            parts.append(Part(name: name, share: share))
        }
        let wanted = parts.firstIndex { $0.name == part }
        if let part, wanted == nil { throw OptionFault("no part \"\(part)\" in the split; its parts are \(parts.map(\.name).joined(separator: ", "))") }
        var total = 0.0
        for part in parts { total += part.share }
        guard total <= 1 + Split.rounding else {
            throw OptionFault("the shares of the split sum to \(plain(total)), expected a sum of 1, or less to leave prompts out, as in train=0.9,test=0.1")
        }
        self.parts = parts
        self.wanted = wanted
        // Shares that sum to 1 but for rounding leave no prompt out.
        let whole = total >= 1 - Split.rounding ? total : 1
        var sum = 0.0
        bounds = parts.map { part in
            sum += part.share
            return sum / whole
        }
    }

    private static let rounding = 1e-9

    /// The same split with one wanted part.
    func keeping(_ part: Int) -> Split {
        var split = self
        split.wanted = part
        return split
    }

    /// Which part a prompt with this hash belongs to; nil for none.
    func part(of promptHash: UInt64) -> Int? {
        let position = Double(promptHash >> 11) * 0x1p-53
        return bounds.firstIndex { position < $0 }
    }

    /// The split as provenance records it.
    public var description: String { parts.map { "\($0.name)=\(plain($0.share))" }.joined(separator: ",") }
}
