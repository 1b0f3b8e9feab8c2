/// A table that is filled once and then only read, by any number of threads. Hot loops take its base pointer: an array held by a class
/// would cost a uniqueness or exclusivity check at every access.
final class FixedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
    let base: UnsafeMutablePointer<Element>
    let count: Int

    init(repeating value: Element, count: Int) {
        base = .allocate(capacity: max(count, 1))
        base.initialize(repeating: value, count: max(count, 1))
        self.count = count
    }

    init(_ elements: [Element]) {
        let memory = UnsafeMutablePointer<Element>.allocate(capacity: max(elements.count, 1))
        elements.withUnsafeBufferPointer { if let source = $0.baseAddress { memory.initialize(from: source, count: elements.count) } }
        base = memory
        count = elements.count
    }

    deinit { base.deallocate() }
}
