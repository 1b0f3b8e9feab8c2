import JSON
import SystemIO

/// GPT-2's two files: `encoder.json` (or vocab.json), an object of tokens and ids, and `vocab.bpe` (or merges.txt), two tokens a line that merge, the
/// first line first.
struct MergesPair {
    let vocabulary: RankedVocabulary

    /// Names that the two files go by, in this order.
    static let names = [("encoder.json", "vocab.bpe"), ("vocab.json", "merges.txt")]

    /// Throws `.invalidData` with file and place for ids that repeat or leave a hole, merges of what is no token, a merge that stands twice, and tokens
    /// that nothing makes: a list of merges that was cut would encode, to other ids, without a sign.
    init(encoder: [UInt8], _ encoderName: String, merges: [UInt8], _ mergesName: String) throws {
        let ids = try MergesPair.ids(encoder, encoderName)
        let tokens = try MergesPair.tokens(ids, encoderName)
        let pairs = try MergesPair.pairs(merges, mergesName, ids: ids, encoderName)
        var isMade = [Bool](repeating: false, count: tokens.count)
        for pair in pairs { isMade[pair.joined] = true }
        let named = Set(TokenizerFamily.allCases.flatMap(\.addedTokens).map { Array($0.content.utf8) })
        if let id = tokens.indices.first(where: { !isMade[$0] && tokens[$0].filter { $0 & 0xC0 != 0x80 }.count > 1 && !named.contains(tokens[$0]) }) {
            throw InputError("\(mergesName): no merge makes \(shown(tokens[id])), which \(encoderName) has with id \(id); the file is cut, or belongs to another vocabulary")
        }
        vocabulary = RankedVocabulary(tokens: tokens, merges: pairs.map { ($0.left, $0.right) })
    }

    private static func ids(_ bytes: [UInt8], _ name: String) throws -> [[UInt8]: Int] {
        do {
            return try JSONParser().read(bytes) { root in
                guard let members = root.members else { throw InputError("an object of tokens and ids was expected, found \(root.typeName)") }
                var ids: [[UInt8]: Int] = [:]
                for (key, value) in members {
                    guard let id = value.unsigned, id < 1 << 24 else {
                        throw InputError("the id of \(shown(key)) is \(value.found); a whole number from 0 to \(1 << 24 - 1) was expected")
                    }
                    guard ids.updateValue(Int(id), forKey: Array(key)) == nil else { throw InputError("\(shown(key)) stands twice") }
                }
                return ids
            }
        } catch let error as InputError {
            throw error.at(name)
        } catch {
            throw InputError("\(name): \(error)")
        }
    }

    /// By id: dense from 0, so that the largest is below their number.
    private static func tokens(_ ids: [[UInt8]: Int], _ name: String) throws -> [[UInt8]] {
        guard !ids.isEmpty else { throw InputError("\(name): holds no tokens") }
        var tokens = [[UInt8]?](repeating: nil, count: ids.count)
        // By content, so that of several mistakes the same is told every time.
        for (token, id) in ids.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) where id < tokens.count {
            if let other = tokens[id] { throw InputError("\(name): \(shown(other)) and \(shown(token)) have the same id \(id)") }
            tokens[id] = token
        }
        if let hole = tokens.firstIndex(of: nil) {
            throw InputError("\(name): the vocabulary has a hole: no token has id \(hole), but ids go up to \(ids.values.max() ?? 0)")
        }
        return tokens.compactMap { $0 }
    }

    private static func pairs(_ bytes: [UInt8], _ name: String, ids: [[UInt8]: Int], _ encoderName: String) throws -> [(left: Int, right: Int, joined: Int)] {
        var pairs: [(left: Int, right: Int, joined: Int)] = [], lineOfPair: [[Int]: Int] = [:]
        var start = 0, number = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count, line = bytes[start ..< end]
            start = end + 1
            number += 1
            if number == 1, line.starts(with: "#version".utf8) { continue }
            guard let space = line.firstIndex(of: 0x20), !line[(space + 1)...].contains(0x20) else {
                throw InputError("\(name): line \(number): \(shown(line)); two tokens with one space between were expected")
            }
            func id(_ token: [UInt8]) throws -> Int {
                guard let id = ids[token] else { throw InputError("\(name): line \(number): \(shown(token)) is not in \(encoderName)") }
                return id
            }
            let left = Array(line[..<space]), right = Array(line[(space + 1)...])
            let pair = (left: try id(left), right: try id(right), joined: try id(left + right))
            if let first = lineOfPair.updateValue(number, forKey: [pair.left, pair.right]) {
                throw InputError("\(name): line \(number): the same merge as on line \(first)")
            }
            pairs.append(pair)
        }
        return pairs
    }

    /// The family asked for, or the one that has as many tokens.
    func family(_ asked: TokenizerFamily?, name: String) throws -> (family: TokenizerFamily, assumption: String?) {
        if let asked { return (asked, nil) }
        let count = vocabulary.tokens.count, ending = Array("<|endoftext|>".utf8)
        guard let family = TokenizerFamily.ofSize(vocabulary.tokens.last == ending ? count - 1 : count).first else {
            throw InputError("\(name): has \(count) tokens, which is no known model's, and says neither how text is cut nor which tokens are special; "
                + "say --tokenizer-family (\(TokenizerFamily.names)), or take the model's tokenizer.json")
        }
        return (family, family.assumption(count))
    }
}
