import Checksums
import Glibc
import SystemIO

/// SHA-256 of bytes as they come, computed on a thread of its own once there is more than a portion of them: the digest of an input takes as long as
/// parsing it, and would hold up the reader.
final class BackgroundDigest {
    static let portion = 1 << 20
    private let shared = Shared()
    private var filling = 0
    private var filled = 0
    private var thread: pthread_t?
    /// How many bytes were fed.
    private(set) var count = 0

    /// Portions in a ring: one is being filled while others wait to be digested, so that neither thread stands still when the other gets no processor for a while.
    private final class Shared: @unchecked Sendable {
        let portions = (0 ..< 4).map { _ in UnsafeMutableRawBufferPointer.allocate(byteCount: BackgroundDigest.portion, alignment: 64) }
        private let lock = Lock()
        /// Portions that were filled, and that are digested; guarded by `lock`, as is `isClosed`.
        private var filled = 0, digested = 0
        private var lengths = [0, 0, 0, 0]
        private var isClosed = false
        /// Only the digesting thread's while it runs.
        var hash = SHA256()

        deinit { portions.forEach { $0.deallocate() } }

        /// Hands over the portion that was filled. Waits until the next one in the ring is free, and returns its number.
        func hand(_ bytes: Int) -> Int {
            lock.whileHeld {
                lengths[filled % portions.count] = bytes
                filled += 1
                lock.wakeAll()
                while filled - digested == portions.count { lock.wait() }
                return filled % portions.count
            }
        }

        func close() {
            lock.whileHeld {
                isClosed = true
                lock.wakeAll()
            }
        }

        func work() {
            while let next = lock.whileHeld({ () -> UnsafeRawBufferPointer? in
                while filled == digested, !isClosed { lock.wait() }
                guard filled > digested else { return nil }
                return UnsafeRawBufferPointer(rebasing: portions[digested % portions.count][..<lengths[digested % portions.count]])
            }) {
                hash.update(next)
                lock.whileHeld {
                    digested += 1
                    lock.wakeAll()
                }
            }
        }
    }

    func update(_ bytes: UnsafeRawBufferPointer) {
        count += bytes.count
        var rest = bytes
        while !rest.isEmpty {
            let portion = shared.portions[filling], take = min(rest.count, portion.count - filled)
            UnsafeMutableRawBufferPointer(rebasing: portion[filled ..< filled + take]).copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<take]))
            filled += take
            rest = UnsafeRawBufferPointer(rebasing: rest[take...])
            if filled == portion.count { hand() }
        }
    }

    private func hand() {
        if thread == nil { start() }
        if thread == nil {
            // No more threads to be had: the digest is made here.
            shared.hash.update(UnsafeRawBufferPointer(rebasing: shared.portions[filling][..<filled]))
        } else {
            filling = shared.hand(filled)
        }
        filled = 0
    }

    private func start() {
        thread = startThread { [shared] in shared.work() }
    }

    private func join() {
        guard let thread else { return }
        shared.close()
        pthread_join(thread, nil)
        self.thread = nil
    }

    /// 64 hexadecimal digits; nothing can be fed afterwards.
    func finish() -> String {
        join()
        shared.hash.update(UnsafeRawBufferPointer(rebasing: shared.portions[filling][..<filled]))
        filled = 0
        return shared.hash.hexDigest()
    }

    deinit { join() }
}
