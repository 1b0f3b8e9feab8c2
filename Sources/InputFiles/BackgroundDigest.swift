import Checksums
import SystemIO

/// SHA-256 of bytes as they come, computed by the threads of the process: the digest of an input takes as long as parsing it, and would hold up the reader.
final class BackgroundDigest {
    private let shared = Shared()
    /// How many bytes were fed.
    private(set) var count = 0

    /// The bytes that wait, in order. One thread at a time digests them.
    private final class Shared: @unchecked Sendable {
        /// More than these wait only while the reader is held up: memory stays bounded.
        static let mostWaiting = 4
        let pool = WorkPool.shared
        /// Guarded by the pool, as is `isRunning`.
        var waiting: [ArraySlice<UInt8>] = []
        private var isRunning = false
        /// Of the thread that digests.
        private var hash = SHA256()

        func add(_ bytes: ArraySlice<UInt8>) {
            pool.wait { waiting.count < Shared.mostWaiting ? () : nil }
            let begins = pool.change { () -> Bool in
                waiting.append(bytes)
                defer { isRunning = true }
                return !isRunning
            }
            if begins { pool.add { [self] in work() } }
        }

        private func work() {
            while let bytes = pool.change({ () -> ArraySlice<UInt8>? in
                isRunning = !waiting.isEmpty
                return isRunning ? waiting.removeFirst() : nil
            }) {
                bytes.withUnsafeBytes { hash.update($0) }
            }
        }

        func finish() -> SHA256 { pool.wait { isRunning ? nil : hash } }
    }

    /// Keeps the bytes, as they are, until they are digested.
    func update(_ bytes: ArraySlice<UInt8>) {
        guard !bytes.isEmpty else { return }
        count += bytes.count
        shared.add(bytes)
    }

    /// 64 hexadecimal digits; nothing can be fed afterwards.
    func finish() -> String { shared.finish().hexDigest() }
}
