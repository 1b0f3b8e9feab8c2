/// What the methods and filters of strings do, without their arguments' kinds.
extension MarkedText {
    /// Parts between separators, or between runs of white space where there is none; at most so many cuts, from the start.
    func split(_ separator: MarkedText?, _ most: Int) -> [MarkedText] {
        var parts: [MarkedText] = [], left = most < 0 ? Int.max : most
        if let separator {
            var start = 0
            while left > 0, let found = find(separator.bytes, from: start) {
                parts.append(self[start ..< found])
                start = found + separator.count
                left -= 1
            }
            return parts + [self[start ..< count]]
        }
        var position = 0
        while true {
            while position < count, MarkedText.isSpace(scalar(at: position)) { position = next(position) }
            guard position < count else { return parts }
            let start = position
            if left == 0 { return parts + [self[start ..< count]] }
            while position < count, !MarkedText.isSpace(scalar(at: position)) { position = next(position) }
            parts.append(self[start ..< position])
            left -= 1
        }
    }

    /// As `split`, cutting from the end.
    func splitFromEnd(_ separator: MarkedText?, _ most: Int) -> [MarkedText] {
        guard most >= 0 else { return split(separator, most) }
        var parts: [MarkedText] = [], left = most, end = count
        if let separator {
            while left > 0, let found = findLast(separator.bytes, to: end) {
                parts.append(self[found + separator.count ..< end])
                end = found
                left -= 1
            }
            return Array((parts + [self[0 ..< end]]).reversed())
        }
        while true {
            while end > 0, MarkedText.isSpace(scalar(at: previous(end))) { end = previous(end) }
            guard end > 0 else { return parts.reversed() }
            if left == 0 { return Array((parts + [self[0 ..< end]]).reversed()) }
            var start = end
            while start > 0, !MarkedText.isSpace(scalar(at: previous(start))) { start = previous(start) }
            parts.append(self[start ..< end])
            end = start
            left -= 1
        }
    }

    /// How often a text stands between two bytes, without overlaps.
    func count(of part: [UInt8], _ start: Int, _ end: Int) -> Int {
        guard start <= end else { return 0 }
        if part.isEmpty { return self[start ..< end].characterCount + 1 }
        var count = 0, position = start
        while let found = find(part, from: position, to: end) {
            count += 1
            position = found + part.count
        }
        return count
    }

    func padded(_ side: StringMethod, to width: Int, _ fill: MarkedText) -> MarkedText {
        let missing = width - characterCount
        guard missing > 0 else { return self }
        func filling(_ count: Int, _ fill: MarkedText) -> MarkedText {
            var result = MarkedText()
            for _ in 0 ..< count { result.append(fill) }
            return result
        }
        var result = MarkedText()
        switch side {
        case .ljust:
            result = self
            result.append(filling(missing, fill))
        case .center:
            let left = missing / 2 + (missing & width & 1)
            result = filling(left, fill)
            result.append(self)
            result.append(filling(missing - left, fill))
        case .zfill:
            let sign = bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+") ? 1 : 0
            result.append(self, 0 ..< sign)
            result.append(filling(missing, MarkedText("0")))
            result.append(self, sign ..< count)
        default:
            result = filling(missing, fill)
            result.append(self)
        }
        return result
    }

    // MARK: - Cases and classes

    /// Each character's case changed; the mapping may need the characters around it.
    func changingCase(_ method: StringMethod) -> MarkedText {
        if isASCII, method == .upper || method == .lower || method == .casefold {
            return mapRuns { run in
                method == .upper ? run.map { (0x61 ... 0x7A).contains($0) ? $0 - 32 : $0 } : run.map { (0x41 ... 0x5A).contains($0) ? $0 + 32 : $0 }
            }
        }
        var result = MarkedText(), afterCased = false, position = 0
        while position < count {
            let end = next(position)
            if let scalar = scalar(at: position) {
                let mapped: String
                switch method {
                case .upper: mapped = scalar.properties.uppercaseMapping
                case .swapcase where scalar.properties.isUppercase: mapped = lowered(scalar, position)
                case .swapcase: mapped = scalar.properties.isLowercase ? scalar.properties.uppercaseMapping : String(scalar)
                case .title: mapped = afterCased ? lowered(scalar, position) : scalar.properties.titlecaseMapping
                case .capitalize: mapped = position == 0 ? scalar.properties.titlecaseMapping : lowered(scalar, position)
                case .casefold: mapped = scalar == "ß" ? "ss" : scalar == "ς" ? "σ" : scalar.properties.lowercaseMapping
                default: mapped = lowered(scalar, position)
                }
                afterCased = scalar.properties.isCased
                result.append(bytes: mapped.utf8, origin: origin(at: position))
            } else {
                afterCased = false
                result.append(self, position ..< end)
            }
            position = end
        }
        result.isMarkup = isMarkup
        return result
    }

    /// Lower case; a sigma that ends a word has a form of its own.
    private func lowered(_ scalar: Unicode.Scalar, _ position: Int) -> String {
        guard scalar == "Σ" else { return scalar.properties.lowercaseMapping }
        func cased(_ start: Int, forward: Bool) -> Bool {
            var at = start
            while forward ? at < count : at > 0 {
                let here = forward ? at : previous(at)
                guard let scalar = self.scalar(at: here) else { return false }
                if !scalar.properties.isCaseIgnorable { return scalar.properties.isCased }
                at = forward ? next(at) : here
            }
            return false
        }
        return cased(position, forward: false) && !cased(next(position), forward: true) ? "ς" : "σ"
    }

    /// Whether there are characters and all are such.
    func all(_ holds: (Unicode.Scalar) -> Bool) -> Bool {
        var position = 0
        while position < count {
            guard let scalar = scalar(at: position), holds(scalar) else { return false }
            position = next(position)
        }
        return count > 0
    }

    /// Whether there are characters with a case and all of them have this one.
    func isCased(_ holds: (Unicode.Scalar) -> Bool) -> Bool {
        var position = 0, found = false
        while position < count {
            if let scalar = scalar(at: position),
                scalar.properties.isLowercase || scalar.properties.isUppercase || scalar.properties.generalCategory == .titlecaseLetter {
                guard holds(scalar) else { return false }
                found = true
            }
            position = next(position)
        }
        return found
    }

    /// Whether upper case only starts words, and lower case only goes on with them.
    var isTitle: Bool {
        var position = 0, found = false, afterCased = false
        while position < count {
            let properties = scalar(at: position)?.properties
            if properties?.isUppercase == true || properties?.generalCategory == .titlecaseLetter {
                if afterCased { return false }
                (afterCased, found) = (true, true)
            } else if properties?.isLowercase == true {
                if !afterCased { return false }
                found = true
            } else {
                afterCased = false
            }
            position = next(position)
        }
        return found
    }

    /// For HTML.
    func escaped() -> MarkedText {
        var result = mapRuns { run in
            var bytes: [UInt8] = []
            for byte in run {
                switch byte {
                case UInt8(ascii: "&"): bytes += "&amp;".utf8
                case UInt8(ascii: "<"): bytes += "&lt;".utf8
                case UInt8(ascii: ">"): bytes += "&gt;".utf8
                case UInt8(ascii: "\""): bytes += "&#34;".utf8
                case UInt8(ascii: "'"): bytes += "&#39;".utf8
                default: bytes.append(byte)
                }
            }
            return bytes
        }
        result.isMarkup = true
        return result
    }
}

extension Unicode.Scalar {
    var isLetter: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    var isNumber: Bool { properties.numericType != nil }
}
