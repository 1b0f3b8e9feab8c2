import Glibc
import SystemIO
@testable import ModelFiles

/// Writes bytes where a test wants them. Not synced, unlike the product's own writers: the damage tests do this thousands of times.
func put(_ bytes: [UInt8], _ path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw InputError.cannotCreate(path) }
    try FileSink(descriptor: descriptor, name: path, closes: true).write(bytes)
}

/// A safetensors file from its header's JSON and its data.
func safetensors(_ header: String, data: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8) + data
}

/// The message of the InputError that `body` throws; anything else, or none, is part of the answer, so that an expectation on it fails and shows it.
func message(_ body: () throws -> some Any) -> String {
    do {
        _ = try body()
        return "(no error)"
    } catch let error as InputError {
        return error.message
    } catch {
        return "(another error: \(error))"
    }
}

func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }
