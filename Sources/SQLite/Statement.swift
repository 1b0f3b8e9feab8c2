import CSQLite
import SystemIO

/// A prepared statement. Columns and parameters count from 0.
public final class Statement {
    private let handle: OpaquePointer
    private let connection: Connection

    init(_ handle: OpaquePointer, connection: Connection) {
        self.handle = handle
        self.connection = connection
    }

    deinit { sqlite3_finalize(handle) }

    public enum Parameter {
        case null
        case integer(Int64)
        /// NaN is stored as NULL: SQLite has no NaN.
        case real(Double)
        case text(String)
        case blob([UInt8])

        public static func real(_ value: Double?) -> Parameter { value.map { .real($0) } ?? .null }
    }

    /// Runs the statement once with these parameters, for its effect.
    public func run(_ parameters: [Parameter]) throws {
        sqlite3_reset(handle)
        try bind(parameters)
        while try step() {}
        sqlite3_reset(handle)
    }

    public func bind(_ parameters: [Parameter]) throws {
        for (index, parameter) in parameters.enumerated() {
            let place = Int32(index + 1)
            let code = switch parameter {
            case .null: sqlite3_bind_null(handle, place)
            case .integer(let value): sqlite3_bind_int64(handle, place, value)
            case .real(let value): value.isNaN ? sqlite3_bind_null(handle, place) : sqlite3_bind_double(handle, place, value)
            // SQLITE_TRANSIENT (-1): SQLite takes a copy before the call returns.
            case .text(let value): sqlite3_bind_text(handle, place, value, Int32(clamping: value.utf8.count), unsafeBitCast(-1, to: sqlite3_destructor_type.self))
            case .blob(let value):
                // An empty array has no address, and SQLite would take none for NULL.
                value.isEmpty ? sqlite3_bind_zeroblob(handle, place, 0)
                    : sqlite3_bind_blob64(handle, place, value, UInt64(value.count), unsafeBitCast(-1, to: sqlite3_destructor_type.self))
            }
            guard code == SQLITE_OK else { throw connection.failure(code) }
        }
    }

    /// True when there is a row to read, false at the end.
    public func step() throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw connection.failure(code)
        }
    }

    public func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }
    public func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    public func real(_ column: Int32) -> Double? { isNull(column) ? nil : sqlite3_column_double(handle, column) }
    public func text(_ column: Int32) -> String {
        guard let bytes = sqlite3_column_text(handle, column) else { return "" }
        return String(decoding: UnsafeBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(handle, column))), as: UTF8.self)
    }
    public func blob(_ column: Int32) -> [UInt8] {
        guard let bytes = sqlite3_column_blob(handle, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(handle, column))))
    }
}
