import Glibc

/// A table that is filled once and then only read, by any number of threads. Hot loops take its base pointer: an array held by a class
/// would cost a uniqueness or exclusivity check at every access.
final class FixedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
    let base: UnsafeMutablePointer<Element>
    let count: Int

    init(repeating value: Element, count: Int) {
        base = allocateTable(max(count, 1))
        base.initialize(repeating: value, count: max(count, 1))
        self.count = count
    }

    init(_ elements: [Element]) {
        let memory: UnsafeMutablePointer<Element> = allocateTable(max(elements.count, 1))
        elements.withUnsafeBufferPointer { if let source = $0.baseAddress { memory.initialize(from: source, count: elements.count) } }
        base = memory
        count = elements.count
    }

    deinit { base.deallocate() }
}

/// Memory for a table that is looked up all over: in large pages where it has some, because every step to another small page costs the processor a search for it.
func allocateTable<Element>(_ count: Int) -> UnsafeMutablePointer<Element> {
    let bytes = count * MemoryLayout<Element>.stride, largePage = 2 << 20
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: bytes >= largePage ? largePage : max(64, MemoryLayout<Element>.alignment))
    // A request that the system may leave unmet.
    if bytes >= largePage { madvise(memory, bytes, MADV_HUGEPAGE) }
    return memory.bindMemory(to: Element.self, capacity: count)
}
