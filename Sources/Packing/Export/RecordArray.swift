import JSON

/// An array of NumPy whose values come record by record.
struct RecordArray {
    let name: String
    /// As NumPy writes it: byte order, kind, bytes.
    let type: String
    let shape: [Int]
    let isColumnMajor: Bool
    /// The whole of it, where it does not come from records.
    let constant: [UInt8]?
    /// Appends a record's values.
    let append: (inout [UInt8], UnpackedRecord, ArrayPlace) -> Void
    private let valueSize: Int

    init(_ name: String, _ type: String, _ shape: [Int], isColumnMajor: Bool = false, append: @escaping (inout [UInt8], UnpackedRecord, ArrayPlace) -> Void) {
        self.init(name, type, shape, isColumnMajor, constant: nil, append)
    }

    /// A text of each record, in UTF-32 and filled up with zeros.
    init(_ name: String, textsOf records: Int, longest: Int, _ text: @escaping (UnpackedRecord) -> Text) {
        let length = max(longest, 1)
        self.init(name, "<U\(length)", [records], false, constant: nil) { bytes, record, _ in RecordArray.add(text(record), length, to: &bytes) }
    }

    /// Texts that are no record's.
    init(_ name: String, _ texts: [Text]) {
        let length = max(texts.map { RecordArray.codePoints($0).count }.max() ?? 0, 1)
        var bytes: [UInt8] = []
        for text in texts { RecordArray.add(text, length, to: &bytes) }
        self.init(name, "<U\(length)", [texts.count], false, constant: bytes) { _, _, _ in }
    }

    private init(_ name: String, _ type: String, _ shape: [Int], _ isColumnMajor: Bool, constant: [UInt8]?, _ append: @escaping (inout [UInt8], UnpackedRecord, ArrayPlace) -> Void) {
        self.name = name
        self.type = type
        self.shape = shape
        self.isColumnMajor = isColumnMajor
        self.constant = constant
        self.append = append
        let digits = Int(type.drop { !$0.isNumber }) ?? 1
        valueSize = type.contains("U") ? 4 * digits : digits
    }

    var byteCount: Int { shape.reduce(valueSize, *) }

    /// What stands before the values in a .npy file (version 1.0): a Python dictionary, filled up to a multiple of 64 bytes.
    var header: [UInt8] {
        let numbers = shape.map { "\($0)" }.joined(separator: ", ") + (shape.count == 1 ? "," : "")
        var text = "{'descr': '\(type)', 'fortran_order': \(isColumnMajor ? "True" : "False"), 'shape': (\(numbers)), }"
        let start: [UInt8] = [0x93] + "NUMPY".utf8 + [1, 0], unfilled = start.count + 2 + text.utf8.count + 1
        text += String(repeating: " ", count: (64 - unfilled % 64) % 64) + "\n"
        var bytes = start
        bytes.add(UInt16(text.utf8.count))
        return bytes + text.utf8
    }

    private static func add(_ text: Text, _ length: Int, to bytes: inout [UInt8]) {
        let points = codePoints(text)
        for point in points { bytes.add(point) }
        for _ in points.count ..< length { bytes.add(0 as UInt32) }
    }

    /// Of well-formed text; a lone surrogate is a code point of its own.
    static func codePoints(_ text: Text) -> [UInt32] {
        var points: [UInt32] = []
        for byte in text.bytes {
            if byte & 0xC0 == 0x80 {
                points[points.count - 1] = points[points.count - 1] << 6 | UInt32(byte & 0x3F)
            } else {
                points.append(UInt32(byte < 0x80 ? byte : byte < 0xE0 ? byte & 0x1F : byte < 0xF0 ? byte & 0x0F : byte & 0x07))
            }
        }
        return points
    }
}
