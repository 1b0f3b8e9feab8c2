import Checksums
import JSON
import SystemIO

extension Tokenizer {
    /// Reads a `tokenizer.json`.
    /// - Parameters:
    ///   - json: the file's bytes, not compressed.
    ///   - name: what messages call the file.
    ///   - digest: of the vocabulary's own files, where the tokenizer.json was made of those in another form; else of these bytes.
    /// - Throws: `InputError` naming the field and what was expected.
    public convenience init(json: [UInt8], name: String, digest: [UInt8]? = nil) throws(InputError) {
        let parts: TokenizerParts
        do {
            parts = try JSONParser().read(json) { try TokenizerFile($0).parts() }
        } catch let error as InputError {
            throw error.at(name)
        } catch {
            throw InputError("\(name): not a tokenizer.json: \(error)")
        }
        self.init(parts, digest: digest ?? SHA256.digest(of: json))
    }
}

/// The fields of a `tokenizer.json` while they are read.
struct TokenizerFile {
    let root: JSONCursor

    init(_ root: JSONCursor) { self.root = root }

    /// More than any vocabulary has; a larger id is a mistake and must not size a table.
    static let mostPieces = 1 << 24

    func parts() throws(InputError) -> TokenizerParts {
        guard root.kind == .object else { throw InputError("expected an object with the fields of a tokenizer.json, found \(root.typeName)") }
        guard let model = root["model"], model.kind == .object else { throw InputError("model: expected an object; is this a tokenizer.json?") }
        let pipeline = try PipelineFields(root)
        let settings = try ModelSettings(model)
        let vocabulary = try VocabularyFields(model: model, added: root["added_tokens"])
        let byteLevel = pipeline.byteLevel

        let normalizer = pipeline.normalizer
        /// What is looked for in normalised text, and what such a token reads as afterwards.
        func normalContent(_ token: AddedToken) -> [UInt8] {
            var content: [UInt8] = []
            return token.content.withUnsafeBufferPointer { normalizer.apply($0, leadingMark: true, into: &content) } ? content : token.content
        }
        // Where there is a second thread, it makes what does not wait for the merges, and then half of what is made of them. What reads the file's fields is waited for before anything is thrown: they go with
        // the parser.
        let fields = Handed((vocabulary, normalContent))
        let pool = WorkPool.shared, promised = pool.promise { fields.value.0.pieces(byteLevel: byteLevel, spelling: fields.value.1) }
        let found = Result { () throws(InputError) in try MergeFields(model["merges"], vocabulary.entries, vocabulary.entryIDs) }
        let pieces = promised.value, merges = try found.get()
        let table = pool.promise { [list = merges.merges] in MergeTable(list) }, units = pool.promise { [list = merges.merges] in CharacterUnits(byteLevel ? list : [], pieces) }
        let symbols = try settings.symbols(vocabulary, pieces, merges, byteLevel: byteLevel)
        let joints = byteLevel ? SymbolJoints(merges.merges, pieces, byteIDs: symbols.byteIDs) : nil
        let added = vocabulary.added
        let raw = added.filter { !$0.normalized }, normalized = added.filter(\.normalized)
        return TokenizerParts(
            pieces: pieces, merges: table.value, units: units.value, joints: joints, symbols: symbols, pattern: pipeline.pattern, normalizer: normalizer, marking: pipeline.marking,
            rawMatcher: AddedTokenMatcher(raw, contents: raw.map(\.content)),
            normalizedMatcher: AddedTokenMatcher(normalized, contents: normalized.map(normalContent)),
            decoder: pipeline.decoder, addedTokens: added,
            prefixTokens: try pipeline.boundary.before(vocabulary), suffixTokens: try pipeline.boundary.after(vocabulary),
            entries: vocabulary.entries, entryIDs: vocabulary.entryIDs)
    }
}

/// A value as a message shows it: short, and on one line.
func quoted(_ bytes: some Collection<UInt8>) -> String {
    var text = ""
    for scalar in String(decoding: bytes.prefix(60), as: UTF8.self).unicodeScalars {
        text += scalar.value < 0x20 || scalar.value == 0x7F ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
    }
    return "\"" + text + (bytes.count > 60 ? "..." : "") + "\""
}

extension JSONCursor {
    /// The string of a field, for comparing with names the program knows.
    func name(_ key: StaticString) -> String? {
        self[key]?.stringBytes.map { String(decoding: $0, as: UTF8.self) }
    }

    /// A field that is a boolean, or `absent` where it is missing or null.
    func flag(_ key: StaticString, in place: String, absent: Bool = false) throws(InputError) -> Bool {
        guard let value = self[key], !value.isNull else { return absent }
        guard let flag = value.bool else { throw InputError("\(place).\(key): expected true or false, found \(value.typeName)") }
        return flag
    }
}
