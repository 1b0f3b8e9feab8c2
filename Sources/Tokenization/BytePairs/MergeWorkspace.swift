/// Memory of the merging of long pieces, kept from piece to piece: linked symbols and a heap of (rank, position).
final class MergeWorkspace {
    struct Link: BitwiseCopyable {
        var previous: Int32
        var next: Int32
        /// Of the pair that this symbol and the next one form.
        var rank: UInt32
        var joined: UInt32
    }

    private(set) var links: UnsafeMutablePointer<Link>
    private var capacity = 0
    /// A binary heap, lowest first, of rank << 32 | position: the order in which pairs join.
    private var heap: UnsafeMutablePointer<UInt64>
    private var heapCapacity = 0
    private var heapCount = 0

    init() {
        links = .allocate(capacity: 1)
        heap = .allocate(capacity: 1)
    }

    deinit {
        links.deallocate()
        heap.deallocate()
    }

    func reserve(_ count: Int) {
        guard count > capacity else { return }
        links.deallocate()
        capacity = count < 1 << 20 ? count &+ count / 2 : count
        links = .allocate(capacity: capacity)
    }

    /// Gives back what an uncommonly long piece took.
    func shrink() {
        guard capacity > 1 << 16 || heapCapacity > 1 << 16 else { return }
        links.deallocate()
        heap.deallocate()
        links = .allocate(capacity: 1)
        heap = .allocate(capacity: 1)
        (capacity, heapCapacity, heapCount) = (0, 0, 0)
    }

    func emptyHeap() { heapCount = 0 }

    /// Adds without order; `makeHeap` must follow.
    @inline(__always)
    func append(rank: UInt32, position: Int) {
        if heapCount == heapCapacity { growHeap() }
        heap[heapCount] = UInt64(rank) << 32 | UInt64(UInt32(truncatingIfNeeded: position))
        heapCount &+= 1
    }

    func makeHeap() {
        var index = heapCount / 2
        while index > 0 {
            index &-= 1
            siftDown(index)
        }
    }

    @inline(__always)
    func push(rank: UInt32, position: Int) {
        append(rank: rank, position: position)
        var index = heapCount &- 1
        let key = heap[index]
        while index > 0 {
            let parent = (index &- 1) / 2
            if heap[parent] <= key { break }
            heap[index] = heap[parent]
            index = parent
        }
        heap[index] = key
    }

    @inline(__always)
    func popLowest() -> (rank: UInt32, position: Int)? {
        guard heapCount > 0 else { return nil }
        let key = heap[0]
        heapCount &-= 1
        if heapCount > 0 {
            heap[0] = heap[heapCount]
            siftDown(0)
        }
        return (UInt32(truncatingIfNeeded: key >> 32), Int(key & 0xFFFF_FFFF))
    }

    private func siftDown(_ start: Int) {
        let key = heap[start]
        var index = start
        while true {
            var child = 2 &* index &+ 1
            if child >= heapCount { break }
            if child &+ 1 < heapCount, heap[child &+ 1] < heap[child] { child &+= 1 }
            if heap[child] >= key { break }
            heap[index] = heap[child]
            index = child
        }
        heap[index] = key
    }

    private func growHeap() {
        let larger = max(256, 2 * heapCapacity)
        let new = UnsafeMutablePointer<UInt64>.allocate(capacity: larger)
        new.update(from: heap, count: heapCount)
        heap.deallocate()
        (heap, heapCapacity) = (new, larger)
    }
}
