import CTokenization
import JSON
import SystemIO

/// `model.merges`, in the order of their ranks: strings "a b" or arrays ["a", "b"].
struct MergeFields {
    typealias Merge = (left: UInt32, right: UInt32, joined: UInt32)

    let merges: [Merge]
    /// Whether some merge joins a space mark to something other than a mark before it.
    let crossesSpaceMark: Bool

    /// Of so many, the second half is for another thread.
    private static let many = 1 << 14

    init(_ field: JSONCursor?, _ entries: PieceTable, _ entryIDs: FixedBuffer<UInt32>) throws(InputError) {
        guard let field, let elements = field.elements else {
            throw InputError("model.merges: expected an array, found \(field?.typeName ?? "nothing")")
        }
        let count = elements.count
        guard count >= Self.many else {
            let all = Run(elements, 0 ..< count, entries, entryIDs)
            if let fault = all.fault { throw fault }
            (merges, crossesSpaceMark) = (all.merges, all.crossesSpaceMark)
            return
        }
        var rest = elements
        for _ in 0 ..< count / 2 { _ = rest.next() }
        let behind = Handed(rest), promised = WorkPool.shared.promise { Run(behind.value, count / 2 ..< count, entries, entryIDs) }
        let first = Run(elements, 0 ..< count / 2, entries, entryIDs), second = promised.value
        if let fault = first.fault ?? second.fault { throw fault }
        (merges, crossesSpaceMark) = (first.merges + second.merges, first.crossesSpaceMark || second.crossesSpaceMark)
    }

    /// Merges that follow one another, up to the first that is wrong.
    private struct Run {
        var merges: [Merge] = []
        var crossesSpaceMark = false
        var fault: InputError?

        /// Merges whose pieces are looked up together.
        private static let batch = 512

        init(_ elements: JSONElements, _ numbers: Range<Int>, _ entries: PieceTable, _ entryIDs: FixedBuffer<UInt32>) {
            do throws(InputError) { try read(elements, numbers, entries, entryIDs) } catch { fault = error }
        }

        private mutating func read(_ list: JSONElements, _ numbers: Range<Int>, _ entries: PieceTable, _ entryIDs: FixedBuffer<UInt32>) throws(InputError) {
            merges.reserveCapacity(numbers.count)
            var elements = list, sides: [(left: UnsafeBufferPointer<UInt8>, right: UnsafeBufferPointer<UInt8>)] = [], joined: [UInt8] = []
            var found = [UInt32](repeating: 0, count: 3 * Self.batch), wrong: InputError?
            while merges.count < numbers.count {
                sides.removeAll(keepingCapacity: true)
                joined.removeAll(keepingCapacity: true)
                while wrong == nil, sides.count < min(Self.batch, numbers.count - merges.count), let element = elements.next() {
                    do throws(InputError) {
                        let (left, right) = try MergeFields.sides(element, numbers.lowerBound + merges.count + sides.count)
                        sides.append((left, right))
                        joined.append(contentsOf: left)
                        joined.append(contentsOf: right)
                    } catch { wrong = error }
                }
                joined.withUnsafeBufferPointer { MergeFields.find(sides, $0, entries, &found) }
                for (number, (left, right)) in sides.enumerated() {
                    func id(_ entry: UInt32, _ why: @autoclosure () -> String) throws(InputError) -> UInt32 {
                        guard entry != UF_NO_ENTRY else { throw InputError("model.merges[\(numbers.lowerBound + merges.count)]: \(why())") }
                        return entryIDs.base[Int(entry)]
                    }
                    let leftID = try id(found[3 * number], "\(quoted(left)) is not in model.vocab"), rightID = try id(found[3 * number + 1], "\(quoted(right)) is not in model.vocab")
                    let joinedID = try id(found[3 * number + 2], "\(quoted(left)) and \(quoted(right)) join to \(quoted(Array(left) + right)), which is not in model.vocab")
                    merges.append((leftID, rightID, joinedID))
                    if !crossesSpaceMark, right.starts(with: spaceMark), !left.suffix(spaceMark.count).elementsEqual(spaceMark) { crossesSpaceMark = true }
                }
                if let wrong { throw wrong }
                if sides.isEmpty { return }
            }
        }
    }

    /// The entries of the left side, the right side and both joined, three a merge.
    private static func find(
        _ sides: [(left: UnsafeBufferPointer<UInt8>, right: UnsafeBufferPointer<UInt8>)], _ joined: UnsafeBufferPointer<UInt8>, _ entries: PieceTable, _ found: inout [UInt32]
    ) {
        var pieces: [uf_text] = [], start = joined.baseAddress
        pieces.reserveCapacity(3 * sides.count)
        for (left, right) in sides {
            pieces.append(uf_text(bytes: left.baseAddress, length: left.count))
            pieces.append(uf_text(bytes: right.baseAddress, length: right.count))
            pieces.append(uf_text(bytes: start, length: left.count + right.count))
            start = start.map { $0 + left.count + right.count }
        }
        entries.find(pieces, into: &found)
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
