import JSON
import SystemIO

/// `model.merges`, in the order of their ranks: strings "a b" or arrays ["a", "b"].
struct MergeFields {
    private(set) var merges: [(left: UInt32, right: UInt32, joined: UInt32)] = []
    /// Whether some merge joins a space mark to something other than a mark before it.
    private(set) var crossesSpaceMark = false

    init(_ field: JSONCursor?, _ entries: PieceTable, _ entryIDs: FixedBuffer<UInt32>) throws(InputError) {
        guard let field, let elements = field.elements else {
            throw InputError("model.merges: expected an array, found \(field?.typeName ?? "nothing")")
        }
        var joined: [UInt8] = []
        for element in elements {
            let (left, right) = try Self.sides(element, merges.count)
            joined.removeAll(keepingCapacity: true)
            joined.append(contentsOf: left)
            joined.append(contentsOf: right)
            func id(_ piece: UnsafeBufferPointer<UInt8>) throws(InputError) -> UInt32 {
                guard let entry = entries.id(of: piece.baseAddress, count: piece.count) else {
                    throw InputError("model.merges[\(merges.count)]: \(quoted(piece)) is not in model.vocab")
                }
                return entryIDs.base[Int(entry)]
            }
            let leftID = try id(left), rightID = try id(right)
            guard let entry = entries.id(of: joined) else {
                throw InputError("model.merges[\(merges.count)]: \(quoted(left)) and \(quoted(right)) join to \(quoted(joined)), which is not in model.vocab")
            }
            merges.append((leftID, rightID, entryIDs.base[Int(entry)]))
            if right.starts(with: spaceMark), !left.suffix(spaceMark.count).elementsEqual(spaceMark) { crossesSpaceMark = true }
        }
    }

    private static func sides(_ element: JSONCursor, _ index: Int) throws(InputError) -> (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>) {
        if let text = element.stringBytes {
            let space = text.firstIndex(of: UInt8(ascii: " "))
            if let space, !text[(space + 1)...].contains(UInt8(ascii: " ")) {
                return (UnsafeBufferPointer(rebasing: text[..<space]), UnsafeBufferPointer(rebasing: text[(space + 1)...]))
            }
            throw InputError("model.merges[\(index)]: \(quoted(text)), expected two pieces with one space between")
        }
        if var elements = element.elements, let left = elements.next()?.stringBytes, let right = elements.next()?.stringBytes, elements.next() == nil {
            return (left, right)
        }
        throw InputError("model.merges[\(index)]: expected a string of two pieces or an array of two strings, found \(element.typeName)")
    }
}

/// "▁", U+2581, which stands for a space in SentencePiece vocabularies.
let spaceMark: [UInt8] = [0xE2, 0x96, 0x81]
