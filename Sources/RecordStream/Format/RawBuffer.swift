import Glibc

/// Growing memory on a 64-byte boundary: what columns are built in and payloads are read into.
final class RawBuffer {
    private struct State {
        var base: UnsafeMutableRawPointer
        var count = 0
        var capacity: Int
    }

    /// Behind a pointer, whose fields are reached without a check for other uses at every step.
    private let state: UnsafeMutablePointer<State>

    init(capacity: Int = 4096) {
        let capacity = max(capacity.aligned, StreamLimits.alignment)
        state = .allocate(capacity: 1)
        state.initialize(to: State(base: .allocate(byteCount: capacity, alignment: StreamLimits.alignment), capacity: capacity))
    }

    deinit {
        base.deallocate()
        state.deallocate()
    }

    var base: UnsafeMutableRawPointer { state.pointee.base }
    private(set) var count: Int {
        get { state.pointee.count }
        set { state.pointee.count = newValue }
    }

    /// Valid as long as this object is and does not grow: whoever keeps the pointer keeps the object.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
    var mutableBytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: base, count: count) }

    func removeAll() { count = 0 }

    /// Sets the length; new bytes are not initialised.
    func resize(to newCount: Int) {
        reserve(newCount)
        count = newCount
    }

    /// Cuts back to an earlier length.
    func truncate(to newCount: Int) { count = min(count, newCount) }

    private func reserve(_ needed: Int) {
        if needed > state.pointee.capacity { grow(needed) }
    }

    @inline(never)
    private func grow(_ needed: Int) {
        let larger = max(needed, state.pointee.capacity * 2).aligned
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: StreamLimits.alignment)
        moved.copyMemory(from: base, byteCount: count)
        base.deallocate()
        (state.pointee.base, state.pointee.capacity) = (moved, larger)
    }

    func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(count + bytes.count)
        (base + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    func append<Value: BitwiseCopyable>(_ value: Value) {
        withUnsafeBytes(of: value) { append($0) }
    }

    /// The ends of lists whose offsets lie elsewhere, for where the first of them starts at `start`.
    func append(shifted offsets: UnsafePointer<UInt32>?, _ lists: Range<Int>, by start: Int) {
        guard let offsets else { return }
        let shift = UInt32(truncatingIfNeeded: start) &- offsets[lists.lowerBound]
        reserve(count + 4 * lists.count)
        let ends = (base + count).assumingMemoryBound(to: UInt32.self)
        for list in 0 ..< lists.count { ends[list] = offsets[lists.lowerBound + list + 1] &+ shift }
        count += 4 * lists.count
    }

    /// Numbers that count up from `first`.
    func append(counting count: Int, from first: UInt32) {
        reserve(self.count + 4 * count)
        let numbers = (base + self.count).assumingMemoryBound(to: UInt32.self)
        for number in 0 ..< count { numbers[number] = first &+ UInt32(truncatingIfNeeded: number) }
        self.count += 4 * count
    }

    /// Zero bytes up to the next multiple of 64.
    func pad() {
        let end = count.aligned
        reserve(end)
        memset(base + count, 0, end - count)
        count = end
    }
}
