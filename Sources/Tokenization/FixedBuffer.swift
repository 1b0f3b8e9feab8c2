import Glibc
import SystemIO

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

    /// For a table that one thread fills as it goes.
    init(uninitializedCount count: Int) {
        base = allocateTable(max(count, 1))
        self.count = count
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

/// A large table of zeros, which the system makes page by page as they are touched.
final class ZeroedTable<Element: BitwiseCopyable> {
    let base: UnsafeMutablePointer<Element>
    let count: Int
    private let pages: UnsafeMutableRawPointer
    private let bytes: Int

    init(count: Int) {
        let largePage = 2 << 20, size = count * MemoryLayout<Element>.stride
        // Room to begin at a large page.
        bytes = size + largePage
        guard let pages = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), pages != MAP_FAILED else {
            outOfMemory(size)
        }
        self.pages = pages
        self.count = count
        let start = UnsafeMutableRawPointer(bitPattern: (UInt(bitPattern: pages) + UInt(largePage) - 1) & ~UInt(largePage - 1)) ?? pages
        madvise(start, size, MADV_HUGEPAGE)
        base = start.bindMemory(to: Element.self, capacity: count)
    }

    deinit { munmap(pages, bytes) }
}

/// Ends the process with a line and the status of an internal error: nothing can go on, and no error can be thrown from where a table is first used.
func outOfMemory(_ bytes: Int) -> Never {
    let command = CommandLine.arguments.first?.split(separator: "/").last ?? "uf-tokenize"
    let line = "\(command): the system gives no memory for a table of \(bytes) bytes; use fewer threads (-j) or allow more\n"
    line.withCString { _ = write(STDERR_FILENO, $0, strlen($0)) }
    _exit(ExitStatus.internalError.rawValue)
}
