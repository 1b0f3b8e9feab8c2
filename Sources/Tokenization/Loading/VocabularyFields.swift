import JSON
import SystemIO

/// `model.vocab` and `added_tokens`: every id from 0 to the largest must belong to exactly one token.
struct VocabularyFields {
    /// Entries of the model as the file spells them, in the file's order, and their ids.
    let entries: PieceTable
    let entryIDs: FixedBuffer<UInt32>
    let added: [AddedToken]
    /// Spelling of each id, and whether it is an entry of the model (1) or not (0).
    private let spellings: [UnsafeBufferPointer<UInt8>]
    private let isEntry: [UInt8]

    var count: Int { spellings.count }

    init(model: JSONCursor, added addedField: JSONCursor?) throws(InputError) {
        guard let vocab = model["vocab"], let members = vocab.members else {
            throw InputError("model.vocab: expected an object of tokens and ids, found \(model["vocab"]?.typeName ?? "nothing")")
        }
        var keys: [UnsafeBufferPointer<UInt8>] = [], ids: [UInt32] = []
        let count = members.count
        keys.reserveCapacity(count)
        ids.reserveCapacity(count)
        for (key, value) in members {
            keys.append(key)
            ids.append(try Self.id(value, of: key, in: "model.vocab"))
        }
        let (added, contents) = try AddedTokenFields.read(addedField)
        self.added = added

        // Ids are dense, so the largest is below the number of tokens: one beyond that betrays a hole, and no table is sized by it.
        let most = keys.count + added.count
        var spellings = [UnsafeBufferPointer<UInt8>?](repeating: nil, count: most)
        var isEntry = [UInt8](repeating: 0, count: most)
        var largest = -1
        for (key, id) in zip(keys, ids) {
            largest = max(largest, Int(id))
            guard Int(id) < most else { continue }
            if let other = spellings[Int(id)] { throw InputError("model.vocab: \(quoted(other)) and \(quoted(key)) have the same id \(id)") }
            spellings[Int(id)] = key
            isEntry[Int(id)] = 1
        }
        var builder = PieceTable.Builder(count: keys.count, bytes: keys.reduce(0) { $0 + $1.count })
        for key in keys { builder.append(key) }
        entries = PieceTable(builder)
        entryIDs = FixedBuffer(ids)
        if let repeated = entries.repeated { throw InputError("model.vocab: \(quoted(keys[repeated])) stands twice") }
        for (index, token) in added.enumerated() {
            largest = max(largest, Int(token.id))
            if let entry = entries.id(of: token.content), ids[Int(entry)] != token.id {
                throw InputError("added_tokens[\(index)]: \(quoted(token.content)) has id \(token.id), but \(ids[Int(entry)]) in model.vocab")
            }
            guard Int(token.id) < most else { continue }
            if let other = spellings[Int(token.id)] {
                guard other.elementsEqual(token.content) else {
                    throw InputError("added_tokens[\(index)]: \(quoted(token.content)) has id \(token.id), which is \(quoted(other))")
                }
            } else {
                spellings[Int(token.id)] = contents[index]
            }
        }
        guard largest >= 0 else { throw InputError("model.vocab: expected at least one token, found none") }
        var dense: [UnsafeBufferPointer<UInt8>] = []
        dense.reserveCapacity(largest + 1)
        while dense.count <= largest {
            guard dense.count < most, let spelling = spellings[dense.count] else {
                throw InputError("the vocabulary has a hole: no token has id \(dense.count), but ids go up to \(largest)")
            }
            dense.append(spelling)
        }
        self.spellings = dense
        self.isEntry = Array(isEntry.prefix(dense.count))
    }

    /// The bytes of every id. Byte-level spellings are turned into the bytes they stand for; only the model's own can be met in text.
    /// `spelling` gives what an added token that is matched in normalised text reads as.
    func pieces(byteLevel: Bool, spelling normalSpelling: (AddedToken) -> [UInt8]) -> PieceTable {
        let normal = Dictionary(added.filter(\.normalized).map { (Int($0.id), normalSpelling($0)) }, uniquingKeysWith: { first, _ in first })
        var builder = PieceTable.Builder(count: count, bytes: spellings.reduce(0) { $0 + $1.count })
        var findable = isEntry
        var bytes: [UInt8] = []
        for (id, spelling) in spellings.enumerated() {
            bytes.removeAll(keepingCapacity: true)
            if isEntry[id] == 0, let normal = normal[id] {
                let isBytes = byteLevel && normal.withUnsafeBufferPointer { ByteAlphabet.append($0, to: &bytes) }
                builder.append(isBytes ? bytes : normal)
            } else if byteLevel, ByteAlphabet.append(spelling, to: &bytes) {
                builder.append(bytes)
            } else {
                builder.append(spelling)
                if byteLevel { findable[id] = 0 }
            }
        }
        return PieceTable(builder, findable: findable)
    }

    /// The id of a token of either list.
    func id(of token: some Collection<UInt8>) -> UInt32? {
        if let found = added.first(where: { $0.content.elementsEqual(token) }) { return found.id }
        return entries.id(of: Array(token)).map { entryIDs.base[Int($0)] }
    }

    static func id(_ value: JSONCursor, of token: UnsafeBufferPointer<UInt8>, in place: String) throws(InputError) -> UInt32 {
        guard let id = value.unsigned, id < UInt64(TokenizerFile.mostPieces) else {
            throw InputError("\(place): the id of \(quoted(token)) is \(value.found), expected an integer from 0 to \(TokenizerFile.mostPieces - 1)")
        }
        return UInt32(id)
    }
}

/// `added_tokens`.
enum AddedTokenFields {
    /// Looking for a token costs at most this much at every byte of a text.
    private static let longest = 1024

    /// The tokens, and their contents where the parser keeps them.
    static func read(_ field: JSONCursor?) throws(InputError) -> (tokens: [AddedToken], contents: [UnsafeBufferPointer<UInt8>]) {
        guard let field, !field.isNull else { return ([], []) }
        guard let elements = field.elements else { throw InputError("added_tokens: expected an array, found \(field.typeName)") }
        var tokens: [AddedToken] = [], contents: [UnsafeBufferPointer<UInt8>] = []
        for element in elements {
            let place = "added_tokens[\(tokens.count)]"
            guard let content = element["content"]?.stringBytes, !content.isEmpty else {
                throw InputError("\(place).content: expected a string that is not empty, found \(element["content"].map { $0.stringBytes == nil ? $0.typeName : "an empty one" } ?? "nothing")")
            }
            guard content.count <= longest else { throw InputError("\(place).content: \(content.count) bytes, expected at most \(longest)") }
            guard let id = element["id"] else { throw InputError("\(place).id: expected an integer, found nothing") }
            contents.append(content)
            tokens.append(AddedToken(
                id: try VocabularyFields.id(id, of: content, in: place), content: Array(content), isSpecial: try element.flag("special", in: place),
                singleWord: try element.flag("single_word", in: place), stripsLeft: try element.flag("lstrip", in: place),
                stripsRight: try element.flag("rstrip", in: place),
                normalized: try element.flag("normalized", in: place, absent: !(try element.flag("special", in: place)))))
        }
        return (tokens, contents)
    }
}
