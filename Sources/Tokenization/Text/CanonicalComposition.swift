/// Normalisation form C of Unicode 9.0, the version that the reference tokenizers use: characters added since are left alone.
///
/// Source: Unicode Standard Annex 15; Hangul syllables by the arithmetic of the standard's section 3.12.
struct CanonicalComposition: Sendable {
    /// Canonical combining class of each code point.
    private let combiningClass = FixedBuffer<UInt8>(repeating: 0, count: 0x110000)
    /// 1: may change or be changed under the form, so a text that has one is taken through the whole procedure.
    private let needsWork = FixedBuffer<UInt8>(repeating: 0, count: 0x110000)
    private let decompositions: [UInt32: (first: UInt32, second: UInt32)]
    private let compositions: [UInt64: UInt32]

    static let shared = CanonicalComposition()

    private init() {
        var decompositions: [UInt32: (first: UInt32, second: UInt32)] = [:]
        var compositions: [UInt64: UInt32] = [:]
        let work = needsWork.base, classes = combiningClass.base
        forEachWord(in: NormalizationData.decompositions) { word in
            let sides = word.split(separator: UInt8(ascii: "="))
            guard sides.count == 2, let last = sides[1].last else { return }
            let composes = last != UInt8(ascii: "*")
            let parts = (composes ? sides[1] : sides[1].dropLast()).split(separator: UInt8(ascii: "+")).map { UInt32(hexadecimal($0)) }
            let point = UInt32(hexadecimal(sides[0]))
            guard let first = parts.first else { return }
            let second = parts.count > 1 ? parts[1] : 0
            decompositions[point] = (first, second)
            if composes {
                compositions[UInt64(first) << 32 | UInt64(second)] = point
                work[Int(second)] = 1
            } else {
                work[Int(point)] = 1
            }
        }
        forEachWord(in: NormalizationData.combiningClasses) { word in
            let sides = word.split(separator: UInt8(ascii: ":"))
            guard sides.count == 2 else { return }
            let combining = UInt8(truncatingIfNeeded: sides[0].reduce(0) { $0 * 10 + Int($1) - 0x30 })
            for range in sides[1].split(separator: UInt8(ascii: ",")) {
                let ends = range.split(separator: UInt8(ascii: "-")).map(hexadecimal)
                guard let first = ends.first, let last = ends.last, last < 0x110000, first <= last else { continue }
                for point in first ... last { (classes[point], work[point]) = (combining, 1) }
            }
        }
        // Hangul vowels and trailing consonants join the character before them.
        for point in 0x1161 ... 0x1175 { work[point] = 1 }
        for point in 0x11A8 ... 0x11C2 { work[point] = 1 }
        self.decompositions = decompositions
        self.compositions = compositions
    }

    /// Whether the text (valid UTF-8) has a character that normalisation could touch. False for nearly all text, so it is asked first.
    func mayChange(_ text: UnsafeBufferPointer<UInt8>) -> Bool { firstToWork(text, from: 0) != nil }

    /// Where the first such character from a position on starts.
    private func firstToWork(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        guard let base = text.baseAddress else { return nil }
        let work = needsWork.base, raw = UnsafeRawPointer(base)
        var position = start
        while position < text.count {
            if position &+ 8 <= text.count, raw.loadUnaligned(fromByteOffset: position, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 {
                position &+= 8
                continue
            }
            let (point, next) = UTF8Text.decode(base, position)
            if point >= 0x300, work[Int(point)] != 0 { return position }
            position = next
        }
        return nil
    }

    /// The text in form C.
    ///
    /// A character that normalisation cannot touch starts anew: nothing before it composes with it or moves behind it. So only the others are taken through the procedure, in
    /// runs with the character before each; what lies between is copied.
    func normalized(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var copied = 0
        while let first = firstToWork(text, from: copied) {
            let start = first > copied ? UTF8Text.previous(text.baseAddress!, first) : first
            var end = first
            while end < text.count, case let (point, next) = UTF8Text.decode(text.baseAddress!, end), needsWork.base[Int(point)] != 0 { end = next }
            bytes.append(contentsOf: text[copied ..< start])
            bytes.append(contentsOf: plainlyNormalized(UnsafeBufferPointer(rebasing: text[start ..< end])))
            copied = end
        }
        bytes.append(contentsOf: text[copied...])
        return bytes
    }

    /// The same by the whole procedure for every character: the plain version.
    func plainlyNormalized(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        guard let base = text.baseAddress else { return [] }
        var points: [UInt32] = []
        points.reserveCapacity(text.count)
        var position = 0
        while position < text.count {
            let (point, next) = UTF8Text.decode(base, position)
            decompose(point, into: &points)
            position = next
        }
        reorder(&points)
        compose(&points)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        for point in points { UTF8Text.append(point, to: &bytes) }
        return bytes
    }

    private func decompose(_ point: UInt32, into points: inout [UInt32]) {
        if point < 0xC0 {
            points.append(point)
        } else if point >= 0xAC00, point < 0xAC00 + 11172 {
            let index = point - 0xAC00
            points.append(0x1100 + index / 588)
            points.append(0x1161 + index % 588 / 28)
            if index % 28 > 0 { points.append(0x11A7 + index % 28) }
        } else if let parts = decompositions[point] {
            decompose(parts.first, into: &points)
            if parts.second > 0 { points.append(parts.second) }
        } else {
            points.append(point)
        }
    }

    /// Marks in a row are put in the order of their combining class; those of one class keep theirs.
    private func reorder(_ points: inout [UInt32]) {
        let classes = combiningClass.base
        var start = 0
        while start < points.count {
            guard classes[Int(points[start])] != 0 else { start += 1; continue }
            var end = start + 1
            while end < points.count, classes[Int(points[end])] != 0 { end += 1 }
            if end - start > 1 {
                // Stable by construction: the key carries the place. Sorting, not insertion: a text may consist of marks alone.
                let keys = (start ..< end).map { UInt64(classes[Int(points[$0])]) << 56 | UInt64($0 - start) << 21 | UInt64(points[$0]) }.sorted()
                for (offset, key) in keys.enumerated() { points[start + offset] = UInt32(key & 0x1F_FFFF) }
            }
            start = end
        }
    }

    private func compose(_ points: inout [UInt32]) {
        let classes = combiningClass.base
        var starter = -1, last: UInt8 = 0, out = 0
        for index in points.indices {
            let point = points[index], combining = classes[Int(point)]
            // Blocked when something of the same or a higher class, or another starter, stands between.
            let adjacent = starter == out - 1
            if starter >= 0, adjacent || (last != 0 && last < combining), let composed = composition(points[starter], point) {
                points[starter] = composed
                continue
            }
            if combining == 0 { starter = out }
            last = combining
            points[out] = point
            out += 1
        }
        points.removeLast(points.count - out)
    }

    private func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if first >= 0x1100, first < 0x1113, second >= 0x1161, second < 0x1176 { return 0xAC00 + ((first - 0x1100) * 21 + second - 0x1161) * 28 }
        if first >= 0xAC00, first < 0xAC00 + 11172, (first - 0xAC00) % 28 == 0, second > 0x11A7, second < 0x11C3 { return first + second - 0x11A7 }
        return compositions[UInt64(first) << 32 | UInt64(second)]
    }
}
