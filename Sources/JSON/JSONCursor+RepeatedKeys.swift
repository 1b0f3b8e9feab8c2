import Glibc

extension JSONCursor {
    /// Whether a key stands twice in one object, here or anywhere below: the last one counts then, and what the first said is lost. Allocates nothing for objects
    /// of ordinary size.
    public var repeatsKey: Bool {
        if let elements {
            for element in elements where element.repeatsKey { return true }
            return false
        }
        guard let members else { return false }
        return withUnsafeTemporaryAllocation(of: UnsafeBufferPointer<UInt8>.self, capacity: JSONCursor.mostComparedKeys) { keys in
            var count = 0
            for (key, value) in members {
                if value.repeatsKey { return true }
                guard count < keys.count else { return firstDuplicateKey() != nil }
                for other in keys[..<count] where other.count == key.count {
                    if key.isEmpty || memcmp(other.baseAddress!, key.baseAddress!, key.count) == 0 { return true }
                }
                keys.initializeElement(at: count, to: key)
                count += 1
            }
            return false
        }
    }

    /// Keys of one object that are compared with each other one by one; above that a set is cheaper.
    private static let mostComparedKeys = 24
}
