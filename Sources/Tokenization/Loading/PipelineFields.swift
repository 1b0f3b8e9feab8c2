import JSON
import SystemIO

/// `normalizer`, `pre_tokenizer`, `post_processor` and `decoder`: what is known is recognised by its exact form, the rest refused by name.
struct PipelineFields {
    let normalizer: TextNormalizer
    let pattern: PiecePattern
    let marking: SpaceMarking?
    /// Whether text is merged from bytes (a ByteLevel pre-tokenizer) or from characters.
    let byteLevel: Bool
    let decoder: PieceDecoder
    let boundary: BoundaryTokens

    init(_ root: JSONCursor) throws(InputError) {
        normalizer = TextNormalizer(steps: try Self.steps(root["normalizer"], "normalizer", "normalizers").map(Self.normalizerStep))
        let steps = try Self.steps(root["pre_tokenizer"], "pre_tokenizer", "pretokenizers")
        if steps.count == 1, let step = steps.first, step.type == "Metaspace" {
            (marking, pattern, byteLevel) = (try Self.spaceMarking(step), .none, false)
        } else {
            marking = nil
            (pattern, byteLevel) = try Self.preTokenizer(steps)
        }
        decoder = try Self.decoder(try Self.steps(root["decoder"], "decoder", "decoders"), byteLevel: byteLevel)
        boundary = try BoundaryTokens(try Self.steps(root["post_processor"], "post_processor", "processors"))
    }

    struct Step {
        var value: JSONCursor
        var type: String
        var place: String

        func refused(_ why: String = "is not supported") -> InputError { InputError("\(place): \(type) \(why)") }
    }

    /// The steps of a field: none for null, several for a Sequence.
    static func steps(_ field: JSONCursor?, _ place: String, _ list: StaticString) throws(InputError) -> [Step] {
        guard let field, !field.isNull else { return [] }
        guard let type = field.name("type") else { throw InputError("\(place).type: expected a string, found \(field["type"]?.typeName ?? "nothing")") }
        guard type == "Sequence" else { return [Step(value: field, type: type, place: place)] }
        guard let elements = field[list]?.elements else { throw InputError("\(place).\(list): expected an array, found \(field[list]?.typeName ?? "nothing")") }
        var steps: [Step] = []
        for element in elements {
            let inner = "\(place).\(list)[\(steps.count)]"
            guard let type = element.name("type") else { throw InputError("\(inner).type: expected a string, found \(element["type"]?.typeName ?? "nothing")") }
            steps.append(Step(value: element, type: type, place: inner))
        }
        return steps
    }

    private static func normalizerStep(_ step: Step) throws(InputError) -> TextNormalizer.Step {
        switch step.type {
        case "NFC": return .composition
        case "Prepend":
            guard let mark = step.value["prepend"]?.stringBytes else { throw step.refused("needs a string \"prepend\"") }
            return .prepend(Array(mark))
        case "Replace":
            guard let pattern = step.value["pattern"]?["String"]?.stringBytes, !pattern.isEmpty, let content = step.value["content"]?.stringBytes else {
                throw step.refused("with a pattern other than a string is not supported")
            }
            return .replace(Array(pattern), with: Array(content))
        default: throw step.refused()
        }
    }

    private static func preTokenizer(_ steps: [Step]) throws(InputError) -> (PiecePattern, byteLevel: Bool) {
        guard let last = steps.last else { return (.none, false) }
        for step in steps where !["ByteLevel", "Split", "Digits"].contains(step.type) { throw step.refused() }
        guard last.type == "ByteLevel" else { throw last.refused("is not supported as the last step, expected ByteLevel") }
        if try last.value.flag("add_prefix_space", in: last.place) { throw last.refused("with add_prefix_space is not supported") }
        let usesPattern = try last.value.flag("use_regex", in: last.place, absent: true)
        let before = steps.dropLast()
        guard let first = before.first else { return (usesPattern ? .gpt2(isolatesDigits: false) : .none, true) }
        if let second = before.dropFirst().first { throw second.refused("is not supported after \(first.type)") }
        switch (first.type, usesPattern) {
        case ("Split", false): return (try splitPattern(first), true)
        case ("Digits", true):
            guard try first.value.flag("individual_digits", in: first.place) else { throw first.refused("without individual_digits is not supported") }
            return (.gpt2(isolatesDigits: true), true)
        default: throw first.refused("before ByteLevel with use_regex \(usesPattern) is not supported")
        }
    }

    private static func spaceMarking(_ step: Step) throws(InputError) -> SpaceMarking {
        let schemes = ["first": SpaceMarking.Scheme.first, "always": .always, "never": .never]
        // Files of old versions say add_prefix_space instead, which means always or never.
        let old = try step.value.flag("add_prefix_space", in: step.place, absent: true) ? "always" : "never"
        guard let scheme = schemes[step.value.name("prepend_scheme") ?? old] else { throw step.refused("with this prepend_scheme is not supported, expected first, always or never") }
        guard step.value["replacement"]?.stringBytes?.elementsEqual(spaceMark) == true else { throw step.refused("with a replacement other than \"▁\" is not supported") }
        return SpaceMarking(mark: spaceMark, scheme: scheme, cutsAtMarks: try step.value.flag("split", in: step.place, absent: true))
    }

    private static func splitPattern(_ step: Step) throws(InputError) -> PiecePattern {
        guard let expression = step.value["pattern"]?["Regex"]?.stringBytes else { throw step.refused("with a pattern other than a Regex is not supported") }
        guard let pattern = PiecePattern.known(String(decoding: expression, as: UTF8.self)) else {
            throw InputError("\(step.place): Split by the unknown pattern \(quoted(expression)) is not supported; known are those of GPT-2, Llama 3 and Qwen2")
        }
        // The known patterns match every character, so what lies between matches is nothing: keeping the matches as pieces and "removing" what is
        // not a match are the same.
        let inverts = try step.value.flag("invert", in: step.place)
        switch (step.value.name("behavior") ?? "", inverts) {
        case ("Isolated", false), ("Removed", true): return pattern
        case (let behavior, _): throw step.refused("with behavior \"\(behavior)\" and invert \(inverts) is not supported")
        }
    }

    private static func decoder(_ steps: [Step], byteLevel: Bool) throws(InputError) -> PieceDecoder {
        guard let first = steps.first else { return .joined }
        if steps.count == 1, first.type == "ByteLevel" {
            guard byteLevel else { throw first.refused("without a ByteLevel pre_tokenizer is not supported") }
            return .bytes
        }
        let types = steps.map(\.type)
        guard types == ["Replace", "ByteFallback", "Fuse"] || types == ["Replace", "ByteFallback", "Fuse", "Strip"], !byteLevel else {
            let known = ["Replace", "ByteFallback", "Fuse", "Strip"]
            throw (steps.first { !known.contains($0.type) } ?? first).refused("in this place is not supported")
        }
        guard let mark = first.value["pattern"]?["String"]?.stringBytes, !mark.isEmpty, first.value["content"]?.isString(" ") == true else {
            throw first.refused("other than of a string by \" \" is not supported")
        }
        guard steps.count == 4 else { return .sentencePiece(mark: Array(mark), strippedSpaces: 0) }
        let strip = steps[3].value
        guard strip["content"]?.isString(" ") == true, let start = strip["start"]?.integer, (0 ... 1024).contains(start), strip["stop"]?.integer == 0 else {
            throw steps[3].refused("other than of spaces at the start is not supported")
        }
        return .sentencePiece(mark: Array(mark), strippedSpaces: Int(start))
    }
}

/// What the post-processor puts around a text.
struct BoundaryTokens {
    private var named: (before: [(JSONCursor, String)], after: [(JSONCursor, String)]) = ([], [])

    init(_ steps: [PipelineFields.Step]) throws(InputError) {
        for step in steps {
            switch step.type {
            case "ByteLevel": continue
            case "TemplateProcessing": try read(step)
            default: throw step.refused()
            }
        }
    }

    private mutating func read(_ step: PipelineFields.Step) throws(InputError) {
        guard let parts = step.value["single"]?.elements else { throw InputError("\(step.place).single: expected an array") }
        var seenText = false
        for part in parts {
            if part["Sequence"] != nil {
                if seenText { throw step.refused("with the text twice is not supported") }
                seenText = true
            } else if let special = part["SpecialToken"]?["id"], let name = special.stringBytes, let tokens = step.value["special_tokens"],
                      let ids = tokens[text: Text(Array(name))]?["ids"]?.elements {
                for id in ids {
                    if seenText { named.after.append((id, step.place)) } else { named.before.append((id, step.place)) }
                }
            } else {
                throw InputError("\(step.place).single: expected SpecialToken (with its ids in special_tokens) or Sequence")
            }
        }
    }

    func before(_ vocabulary: VocabularyFields) throws(InputError) -> [UInt32] { try ids(named.before, vocabulary) }
    func after(_ vocabulary: VocabularyFields) throws(InputError) -> [UInt32] { try ids(named.after, vocabulary) }

    private func ids(_ list: [(JSONCursor, String)], _ vocabulary: VocabularyFields) throws(InputError) -> [UInt32] {
        var ids: [UInt32] = []
        for (value, place) in list {
            guard let id = value.unsigned, id < UInt64(vocabulary.count) else {
                throw InputError("\(place).special_tokens: expected ids from 0 to \(vocabulary.count - 1), found \(value.found)")
            }
            ids.append(UInt32(id))
        }
        return ids
    }
}
