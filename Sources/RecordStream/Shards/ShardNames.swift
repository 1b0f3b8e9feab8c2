import SystemIO

/// File names of a set of shards by a pattern with two numbers, the shard's (from 0) and how many there are: `train-%05d-of-%05d.uf`.
public struct ShardNames: Sendable, Equatable {
    public let pattern: String
    /// Text before, between and after the numbers, and the least digits of each.
    private let texts: [String], widths: [Int]

    /// Nil when `pattern` has not just two numbers, `%d` or `%05d`, both in its last component.
    public init?(_ pattern: String) {
        var texts = [""], widths: [Int] = [], rest = pattern[...]
        while let character = rest.popFirst() {
            guard character == "%" else {
                texts[texts.count - 1].append(character)
                continue
            }
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            guard rest.popFirst() == "d", digits.isEmpty || digits.first == "0", digits.count <= 3, let width = digits.isEmpty ? 1 : Int(digits) else { return nil }
            widths.append(width)
            texts.append("")
        }
        guard widths.count == 2, !texts[1].contains("/"), !texts[2].contains("/"), !texts[1].isEmpty else { return nil }
        self.pattern = pattern
        self.texts = texts
        self.widths = widths
    }

    public func name(_ index: Int, of count: Int) -> String {
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return texts[0] + padded(index, widths[0]) + texts[1] + padded(count, widths[1]) + texts[2]
    }

    /// Beside the shards: what stands before the numbers, without the mark that separates it.
    public var manifest: String {
        var stem = texts[0]
        while let last = stem.last, "-_.".contains(last) { stem.removeLast() }
        return stem.isEmpty || stem.hasSuffix("/") ? stem + ShardManifest.fileName : "\(stem).\(ShardManifest.fileName)"
    }
}
