import Glibc

/// Memory for floats that is allocated once and lives long: page-aligned, zero at first, in huge pages where the system has them.
///
/// Arrays that come and go cost page faults that can dominate a training step.
public final class FloatBuffer: @unchecked Sendable {
    public let base: UnsafeMutablePointer<Float>
    public let count: Int
    private let bytes: Int

    public struct OutOfMemory: Error, Sendable { public var bytes: Int }

    public init(count: Int) throws(OutOfMemory) {
        let hugePage = 2 << 20
        // Some room after the end: kernels may be handed the tail of a buffer.
        guard count >= 0, count < 1 << 48 else { throw OutOfMemory(bytes: Int.max) }
        let wanted = count * 4 + 64
        let unit = wanted >= 2 * hugePage ? hugePage : 4096
        let bytes = (wanted + unit - 1) / unit * unit
        guard let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), memory != MAP_FAILED else {
            throw OutOfMemory(bytes: bytes)
        }
        if unit == hugePage { madvise(memory, bytes, MADV_HUGEPAGE) }
        base = memory.bindMemory(to: Float.self, capacity: count)
        self.count = count
        self.bytes = bytes
    }

    deinit { munmap(base, bytes) }

    public var all: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: base, count: count) }

    /// Sets every element to zero.
    public func clear() { memset(base, 0, count * 4) }
}
