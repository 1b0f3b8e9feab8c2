import CSQLite
import SystemIO

/// A prepared statement. Columns and parameters count from 0.
final class Statement {
    private let handle: OpaquePointer
    private let connection: Connection

    init(_ handle: OpaquePointer, connection: Connection) {
        self.handle = handle
        self.connection = connection
    }

    deinit { sqlite3_finalize(handle) }

    enum Parameter {
        case null
        case integer(Int64)
        /// NaN is stored as NULL: SQLite has no NaN.
        case real(Double)
        case text(String)

        static func real(_ value: Double?) -> Parameter { value.map { .real($0) } ?? .null }
    }

    /// Runs the statement once with these parameters, for its effect.
    func run(_ parameters: [Parameter]) throws {
        sqlite3_reset(handle)
        try bind(parameters)
        while try step() {}
        sqlite3_reset(handle)
    }

    func bind(_ parameters: [Parameter]) throws {
        for (index, parameter) in parameters.enumerated() {
            let place = Int32(index + 1)
            let code = switch parameter {
            case .null: sqlite3_bind_null(handle, place)
            case .integer(let value): sqlite3_bind_int64(handle, place, value)
            case .real(let value): value.isNaN ? sqlite3_bind_null(handle, place) : sqlite3_bind_double(handle, place, value)
            // SQLITE_TRANSIENT (-1): SQLite takes a copy before the call returns.
            case .text(let value): sqlite3_bind_text(handle, place, value, Int32(clamping: value.utf8.count), unsafeBitCast(-1, to: sqlite3_destructor_type.self))
            }
            guard code == SQLITE_OK else { throw connection.failure(code) }
        }
    }

    /// True when there is a row to read, false at the end.
    func step() throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw connection.failure(code)
        }
    }

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }
    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    func real(_ column: Int32) -> Double? { isNull(column) ? nil : sqlite3_column_double(handle, column) }
    func text(_ column: Int32) -> String {
        guard let bytes = sqlite3_column_text(handle, column) else { return "" }
        return String(decoding: UnsafeBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(handle, column))), as: UTF8.self)
    }
}
