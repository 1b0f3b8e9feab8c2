import JSON
import SystemIO

/// The fields of `model` beside the vocabulary and the merges.
struct ModelSettings {
    private let unknownToken: UnsafeBufferPointer<UInt8>?
    private let fusesUnknown: Bool
    private let byteFallback: Bool
    private let ignoresMerges: Bool

    init(_ model: JSONCursor) throws(InputError) {
        // Files of old versions leave the type out; a vocabulary with merges is byte-pair encoding then.
        if let type = model["type"], !type.isNull {
            guard type.isString("BPE") else { throw InputError("model.type: \(type.stringBytes.map(quoted) ?? type.typeName) is not supported, expected \"BPE\"") }
        } else if model["merges"] == nil {
            throw InputError("model.type: expected \"BPE\", found nothing")
        }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] as [StaticString] {
            if let value = model[key], !value.isNull, value.stringBytes?.isEmpty != true { throw InputError("model.\(key): not supported, expected null or \"\"") }
        }
        if let dropout = model["dropout"], !dropout.isNull, dropout.double != 0 {
            throw InputError("model.dropout: random merging is not supported, expected null or 0")
        }
        if let unknown = model["unk_token"], !unknown.isNull {
            guard let bytes = unknown.stringBytes else { throw InputError("model.unk_token: expected a string or null, found \(unknown.typeName)") }
            unknownToken = bytes
        } else {
            unknownToken = nil
        }
        fusesUnknown = try model.flag("fuse_unk", in: "model")
        byteFallback = try model.flag("byte_fallback", in: "model")
        ignoresMerges = try model.flag("ignore_merges", in: "model")
    }

    func symbols(_ vocabulary: VocabularyFields, _ pieces: PieceTable, _ merges: MergeFields, byteLevel: Bool) throws(InputError) -> SymbolRules {
        var unknown: UInt32?
        if let unknownToken {
            unknown = vocabulary.id(of: unknownToken)
            guard unknown != nil else { throw InputError("model.unk_token: \(quoted(unknownToken)) is not in the vocabulary") }
        }
        let byteIDs = FixedBuffer(repeating: MergeTable.none, count: 256)
        var missing = 0
        for byte in 0 ..< 256 {
            let spelling: [UInt8]
            if byteLevel { spelling = [UInt8(byte)] } else { spelling = Array("<0x\(byte < 16 ? "0" : "")\(String(byte, radix: 16, uppercase: true))>".utf8) }
            if byteLevel || byteFallback, let id = pieces.id(of: spelling) { byteIDs.base[byte] = id } else { missing += 1 }
        }
        if byteLevel, byteFallback, missing > 0 {
            throw InputError("model.byte_fallback: not supported together with a ByteLevel pre_tokenizer and a vocabulary that lacks \(missing) bytes")
        }
        return SymbolRules(
            alphabet: byteLevel ? .bytes : .characters, byteIDs: byteIDs, unknown: unknown, fusesUnknown: fusesUnknown, takesWholeEntries: ignoresMerges,
            cutsBeforeMark: !byteLevel && !ignoresMerges && missing == 0 && pieces.id(of: spaceMark) != nil && !merges.crossesSpaceMark)
    }
}
