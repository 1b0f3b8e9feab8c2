import JSON
import SystemIO

/// A SentencePiece `.model`: the message ModelProto of sentencepiece_model.proto, read as far as its vocabulary and the rules of its normaliser go. Only
/// byte-pair models that leave text as it is are read; anything else is refused by the name of the field.
struct SentencePieceModel {
    private let name: String
    private(set) var pieces: [(text: [UInt8], score: Float, type: GGUFTokenType)] = []
    private var trainer = Trainer(), normalizer = Normalizer()

    /// The fields of TrainerSpec that matter, with the defaults of the format.
    private struct Trainer {
        var modelType: UInt64 = 1
        var byteFallback = false
        var spaceIsSuffix = false
        var unknown = 0, begin = 1, end = 2, padding = -1
    }

    /// Those of NormalizerSpec.
    private struct Normalizer {
        var addsDummyPrefix = true, removesExtraSpaces = true, escapesSpaces = true
    }

    /// Throws `.invalidData` with the byte where the message is cut or damaged, and with the field that is not supported.
    init(_ bytes: [UInt8], name: String) throws {
        self.name = name
        var reader = ProtobufReader(file: name, bytes: bytes, range: 0 ..< bytes.count)
        while let (field, value, place) = try reader.next() {
            guard (1 ... 5).contains(field) else { continue }
            guard case .bytes(let range) = value else { throw reader.error("field \(field) of a SentencePiece model should be a message", at: place) }
            let inner = ProtobufReader(file: name, bytes: bytes, range: range)
            switch field {
            case 1: pieces.append(try SentencePieceModel.piece(inner, pieces.count))
            case 2: try readTrainer(inner)
            case 3: try readNormalizer(inner, "normalizer_spec")
            case 5: try readNormalizer(inner, "denormalizer_spec")
            default: break // Field 4 holds the trainer's own test texts.
            }
        }
        try check()
    }

    private static let bytePieces = Set((0 ..< 256).map { byte in Array("<0x\(byte < 16 ? "0" : "")\(String(byte, radix: 16, uppercase: true))>".utf8) })

    private static func piece(_ inner: ProtobufReader, _ id: Int) throws -> (text: [UInt8], score: Float, type: GGUFTokenType) {
        var reader = inner, text: [UInt8] = [], score: Float = 0, type = GGUFTokenType.normal
        while let (field, value, place) = try reader.next() {
            switch (field, value) {
            case (1, .bytes(let range)): text = Array(reader.bytes[range])
            case (2, .fixed32(let bits)): score = Float(bitPattern: bits)
            case (3, .varint(let number)):
                // The numbers of the types are those that GGUF took over.
                guard let known = Int64(exactly: number).flatMap(GGUFTokenType.init) else {
                    throw reader.error("piece \(id) has the type \(number); 1 to 6 are known", at: place)
                }
                type = known
            case (1 ... 3, _): throw reader.error("field \(field) of piece \(id) has another type than that of a SentencePiece model", at: place)
            default: break
            }
        }
        return (text, score, type)
    }

    private mutating func readTrainer(_ inner: ProtobufReader) throws {
        var reader = inner
        while let (field, value, _) = try reader.next() {
            guard case .varint(let number) = value else { continue }
            // int32, negative numbers as 64 bits in two's complement.
            let integer = Int(Int32(truncatingIfNeeded: number))
            switch field {
            case 3: trainer.modelType = number
            case 24: trainer.spaceIsSuffix = number != 0
            case 35: trainer.byteFallback = number != 0
            case 40: trainer.unknown = integer
            case 41: trainer.begin = integer
            case 42: trainer.end = integer
            case 43: trainer.padding = integer
            default: break
            }
        }
    }

    private mutating func readNormalizer(_ inner: ProtobufReader, _ spec: String) throws {
        var reader = inner, rule = "identity", hasRules = false
        while let (field, value, _) = try reader.next() {
            switch (field, value) {
            case (1, .bytes(let range)): rule = String(decoding: reader.bytes[range], as: UTF8.self)
            case (2, .bytes(let range)), (6, .bytes(let range)): hasRules = hasRules || !range.isEmpty
            case (3, .varint(let flag)) where spec == "normalizer_spec": normalizer.addsDummyPrefix = flag != 0
            case (4, .varint(let flag)) where spec == "normalizer_spec": normalizer.removesExtraSpaces = flag != 0
            case (5, .varint(let flag)) where spec == "normalizer_spec": normalizer.escapesSpaces = flag != 0
            default: break
            }
        }
        if hasRules { throw InputError("\(name): \(spec): the normalisation rules \(shown(rule.utf8)) are not supported, only identity is") }
    }

    private func check() throws {
        guard !pieces.isEmpty else { throw InputError("\(name): holds no pieces; is this a SentencePiece model?") }
        guard trainer.modelType == 2 else {
            let kind = [1: "unigram", 3: "word", 4: "char"][trainer.modelType] ?? "\(trainer.modelType)"
            throw InputError("\(name): trainer_spec.model_type: \(kind) is not supported, only bpe is")
        }
        if trainer.spaceIsSuffix { throw InputError("\(name): trainer_spec.treat_whitespace_as_suffix is not supported") }
        if normalizer.removesExtraSpaces { throw InputError("\(name): normalizer_spec.remove_extra_whitespaces is not supported, false was expected") }
        if !normalizer.escapesSpaces { throw InputError("\(name): normalizer_spec.escape_whitespaces: false is not supported") }
        let roles = [("unk_id", trainer.unknown, GGUFTokenType.unknown), ("bos_id", trainer.begin, .control), ("eos_id", trainer.end, .control),
                     ("pad_id", trainer.padding, .control)]
        for (field, id, type) in roles {
            if id < 0, type == .control { continue }
            guard pieces.indices.contains(id), pieces[id].type == type else {
                throw InputError("\(name): trainer_spec.\(field) is \(id), which is no \(type) piece of the \(pieces.count) pieces there; the file is cut or damaged")
            }
        }
        for (id, piece) in pieces.enumerated() where piece.type == .byte && !SentencePieceModel.bytePieces.contains(piece.text) {
            throw InputError("\(name): piece \(id) is \(shown(piece.text)) and of type byte; <0x00> to <0xFF> were expected")
        }
        let byteCount = pieces.count { $0.type == .byte }
        let expected = trainer.byteFallback ? 256 : 0
        guard byteCount == expected else {
            throw InputError("\(name): \(byteCount) byte pieces with trainer_spec.byte_fallback \(trainer.byteFallback); \(expected) were expected")
        }
    }

    func tokenizer() throws -> JSONValue {
        let vocabulary = try Vocabulary(tokens: pieces.map(\.text), types: pieces.map(\.type), name: name)
        func id(_ id: Int) -> Int? { id < 0 ? nil : id }
        let tokens = SpecialTokens(begin: id(trainer.begin), end: id(trainer.end), unknown: trainer.unknown, padding: id(trainer.padding))
        let rules = SentencePieceTokenizer(scores: pieces.map(\.score), addsSpace: normalizer.addsDummyPrefix, byteFallback: trainer.byteFallback, name: name)
        return try rules.json(vocabulary, tokens)
    }
}
