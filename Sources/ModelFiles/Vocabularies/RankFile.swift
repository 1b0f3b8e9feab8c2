import SystemIO

/// A tiktoken file: on every line the base64 of a token's bytes, a space and its rank, which is its id. Such a file has no merges; merging by ranks is
/// put as the list of merges that the model's tokenizer.json has.
struct RankFile {
    /// Bytes of each token, by rank.
    let tokens: [[UInt8]]

    /// Longer tokens, the published ones have 128 bytes at most, would make the search for merges quadratic in what a file chooses.
    private static let longestToken = 256

    /// Throws `.invalidData` with the line for anything but base64 and a rank, for a rank or a token that stands twice, and for ranks that leave a hole.
    init(_ bytes: [UInt8], name: String) throws {
        var lines: [(token: [UInt8], rank: Int)] = []
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            lines.append(try RankFile.entry(bytes[start ..< end], "\(name): line \(lines.count + 1)"))
            start = end + 1
        }
        guard !lines.isEmpty else { throw InputError("\(name): empty; lines of base64 and a rank were expected") }
        var lineOfRank = [Int](repeating: 0, count: lines.count), lineOfToken: [[UInt8]: Int] = [:]
        for (number, line) in lines.enumerated() {
            if let first = lineOfToken.updateValue(number + 1, forKey: line.token) {
                throw InputError("\(name): line \(number + 1): the same token as on line \(first)")
            }
            guard line.rank < lines.count else { continue }
            if lineOfRank[line.rank] > 0 { throw InputError("\(name): line \(number + 1): rank \(line.rank) stands on line \(lineOfRank[line.rank]) too") }
            lineOfRank[line.rank] = number + 1
        }
        if let hole = lineOfRank.firstIndex(of: 0) {
            throw InputError("\(name): the ranks have a hole: no line has rank \(hole), but ranks go up to \(lines.reduce(0) { max($0, $1.rank) })")
        }
        tokens = lineOfRank.map { lines[$0 - 1].token }
    }

    private static func entry(_ line: ArraySlice<UInt8>, _ place: String) throws -> (token: [UInt8], rank: Int) {
        guard let space = line.firstIndex(of: 0x20) else { throw InputError("\(place): \(shown(line)); base64, a space and a rank were expected") }
        guard let token = Base64.decoded(line[..<space]), !token.isEmpty, token.count <= longestToken else {
            throw InputError("\(place): \(shown(line[..<space])) is not the base64 of a token of 1 to \(longestToken) bytes")
        }
        let digits = line[(space + 1)...]
        guard (1 ... 8).contains(digits.count), digits.allSatisfy({ (0x30 ... 0x39).contains($0) }) else {
            throw InputError("\(place): the rank is \(shown(digits)); a whole number was expected")
        }
        return (token, digits.reduce(0) { 10 * $0 + Int($1 - 0x30) })
    }

    /// The merges as the family's own tokenizer.json has them.
    /// - Throws: `.invalidData` for a token that lower ranks do not make.
    func vocabulary(_ family: TokenizerFamily, name: String) throws -> RankedVocabulary {
        var ranks: [ArraySlice<UInt8>: Int] = [:]
        ranks.reserveCapacity(tokens.count)
        for (rank, token) in tokens.enumerated() { ranks[token[...]] = rank }
        var merges: [(left: Int, right: Int)] = []
        for (rank, token) in tokens.enumerated() where token.count > 1 {
            if family.mergesEverySplit {
                merges += RankFile.splits(token, ranks)
            } else if let split = RankFile.lastMerge(token, rank, ranks) {
                merges.append(split)
            } else {
                throw InputError("\(name): the tokens of lower rank do not merge to that of rank \(rank), \(shown(token)); "
                    + "the file is damaged, or of another model than \(family.rawValue)")
            }
        }
        return RankedVocabulary(tokens: tokens.map(ByteSpelling.spelled), merges: merges)
    }

    /// Every way to make a token of two others, by the ranks of these.
    private static func splits(_ token: [UInt8], _ ranks: [ArraySlice<UInt8>: Int]) -> [(left: Int, right: Int)] {
        let found = (1 ..< token.count).compactMap { cut -> (left: Int, right: Int)? in
            guard let left = ranks[token[..<cut]], let right = ranks[token[cut...]] else { return nil }
            return (left, right)
        }
        return found.sorted { ($0.left, $0.right) < ($1.left, $1.right) }
    }

    /// The two tokens that are left of a token's bytes when all merges of lower rank are done, the lowest first and the leftmost of equal ones; nil where
    /// more are left.
    private static func lastMerge(_ token: [UInt8], _ rank: Int, _ ranks: [ArraySlice<UInt8>: Int]) -> (left: Int, right: Int)? {
        var starts = Array(0 ... token.count)
        func joined(_ part: Int) -> Int { part + 2 < starts.count ? ranks[token[starts[part] ..< starts[part + 2]]] ?? .max : .max }
        var pairs = (0 ..< token.count).map(joined)
        while let lowest = pairs.indices.min(by: { pairs[$0] < pairs[$1] }), pairs[lowest] < rank {
            starts.remove(at: lowest + 1)
            pairs.remove(at: lowest + 1)
            pairs[lowest] = joined(lowest)
            if lowest > 0 { pairs[lowest - 1] = joined(lowest - 1) }
        }
        guard starts.count == 3, let left = ranks[token[..<starts[1]]], let right = ranks[token[starts[1]...]] else { return nil }
        return (left, right)
    }

    /// The family asked for, or the one that has as many tokens.
    func family(_ asked: TokenizerFamily?, name: String) throws -> (family: TokenizerFamily, assumption: String?) {
        if let asked {
            guard asked.mergedTokens == tokens.count else {
                throw InputError("\(name): has \(tokens.count) tokens, those of \(asked.rawValue) are \(asked.mergedTokens); the file is cut, or of another model")
            }
            return (asked, nil)
        }
        guard let family = TokenizerFamily.ofSize(tokens.count).first else {
            let known = TokenizerFamily.allCases.map { "\($0.rawValue) has \($0.mergedTokens)" }.joined(separator: ", ")
            throw InputError("\(name): has \(tokens.count) tokens, which is no model's whose pattern and special tokens are known (\(known)); "
                + "the file is cut, or take the model's tokenizer.json")
        }
        return (family, family.assumption(tokens.count))
    }
}

/// Base64 with the alphabet of RFC 4648, padded.
enum Base64 {
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, letter) in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8.enumerated() { values[Int(letter)] = UInt8(value) }
        return values
    }()

    /// The bytes; nil for other letters, missing padding, and bits behind the last byte that are not zero.
    static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        var bytes: [UInt8] = [], bits: UInt32 = 0, count = 0
        bytes.reserveCapacity(text.count / 4 * 3)
        for letter in text.dropLast(padding) {
            let value = values[Int(letter)]
            guard value != 0xFF else { return nil }
            (bits, count) = ((bits & 0xFF) << 6 | UInt32(value), count + 6)
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bits & ((1 << UInt32(count)) - 1) == 0 ? bytes : nil
    }
}
