import Checksums
import JSON
import SystemIO

extension ModelFolder {
    /// What the model computes, as one SHA-256: the configuration in its canonical form, then every tensor in the order of its name with name, dtype,
    /// shape and stored bytes. Each part goes in after its length (8 bytes, little-endian), so that no two models run together. How the tensors are
    /// spread over files, header spacing and side files do not count.
    public func digest() throws -> [UInt8] {
        var sha = SHA256()
        func add(_ number: Int) { withUnsafeBytes(of: UInt64(number).littleEndian) { sha.update($0) } }
        func add(_ bytes: [UInt8]) {
            add(bytes.count)
            sha.update(bytes)
        }
        do {
            add(try config.canonical)
        } catch {
            throw InputError("\(path)/config.json: \(error)")
        }
        for tensor in weights.tensors {
            add(Array(tensor.name.utf8))
            add(Array(tensor.type.rawValue.utf8))
            add(tensor.shape.count)
            for size in tensor.shape { add(size) }
            try weights.withBytes(of: tensor.name) { bytes in
                add(bytes.count)
                sha.update(bytes)
            }
        }
        return sha.digest()
    }
}
