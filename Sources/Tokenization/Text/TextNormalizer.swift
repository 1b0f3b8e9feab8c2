/// The steps that a vocabulary applies to text before cutting it.
struct TextNormalizer: Sendable {
    enum Step: Sendable, Equatable {
        /// Normalisation form C.
        case composition
        /// Put in front of text that is not empty (SentencePiece's leading space mark).
        case prepend([UInt8])
        case replace([UInt8], with: [UInt8])
    }

    let steps: [Step]

    /// Applies the steps; false when nothing had to change, and then `result` means nothing. Without `leadingMark` what would be put in front is not:
    /// text that continues other text.
    func apply(_ text: UnsafeBufferPointer<UInt8>, leadingMark: Bool, into result: inout [UInt8]) -> Bool {
        var changed = false
        for step in steps {
            if changed {
                var next: [UInt8] = []
                if result.withUnsafeBufferPointer({ apply(step, $0, leadingMark, &next) }) { result = next }
            } else {
                changed = apply(step, text, leadingMark, &result)
            }
        }
        return changed
    }

    private func apply(_ step: Step, _ text: UnsafeBufferPointer<UInt8>, _ leadingMark: Bool, _ result: inout [UInt8]) -> Bool {
        switch step {
        case .composition:
            guard CanonicalComposition.shared.mayChange(text) else { return false }
            result = CanonicalComposition.shared.normalized(text)
        case .prepend(let mark):
            guard leadingMark, !text.isEmpty else { return false }
            result.removeAll(keepingCapacity: true)
            result.reserveCapacity(mark.count + text.count)
            result.append(contentsOf: mark)
            result.append(contentsOf: text)
        case .replace(let pattern, let content):
            guard !pattern.isEmpty else { return false }
            guard var position = text.firstIndex(of: pattern[0]) else { return false }
            result.removeAll(keepingCapacity: true)
            result.reserveCapacity(text.count + text.count / 2)
            var start = 0
            while position + pattern.count <= text.count {
                if text[position] == pattern[0], text[position ..< position + pattern.count].elementsEqual(pattern) {
                    result.append(contentsOf: UnsafeBufferPointer(rebasing: text[start ..< position]))
                    result.append(contentsOf: content)
                    position += pattern.count
                    start = position
                } else {
                    position += 1
                }
            }
            if start == 0 { return false }
            result.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
        }
        return true
    }
}
