import Glibc
import JSON
import SystemIO

/// Whether a regular file (or a link to one) stands there.
func fileExists(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
}

/// Whether something stands there that can be read once only: a pipe, a device.
func isPipe(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG && status.st_mode & S_IFMT != S_IFDIR
}

/// Whether a name from a file may be used inside a folder: one component, nothing hidden.
func isPlainFileName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 255 && name.first != "." && name.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "/") && $0 != 0x7F }
}

/// A small JSON file as values; syntax errors carry the file's name, line and column.
func readJSONFile(_ path: String, limit: Int = 16 << 20) throws -> JSONValue {
    do {
        return try JSON.parse(try readWholeFile(path, limit: limit), limits: JSONLimits(maximumBytes: limit, refusesDuplicateKeys: true, roundsHugeIntegers: true))
    } catch let error as JSONError {
        throw InputError("\(path): \(error)")
    }
}

/// One that has to be an object.
func readJSONObject(_ path: String) throws -> JSONValue {
    let value = try readJSONFile(path)
    guard value.object != nil else { throw InputError("\(path): is \(value.found); an object was expected") }
    return value
}
