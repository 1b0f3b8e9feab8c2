/// An error with a cause outside the program: one line that says where, what was expected and what to do, and the exit status it leads to.
public struct InputError: Error, Sendable, Equatable, CustomStringConvertible {
    public var message: String
    public var status: ExitStatus

    public init(_ message: String, status: ExitStatus = .invalidData) {
        self.message = message
        self.status = status
    }

    public var description: String { message }

    /// A number for messages: a NaN without the bits that it carries.
    public static func text(_ value: Double) -> String { value.isNaN ? "nan" : "\(value)" }

    /// The same error with its place put in front ("file: line 3: ...").
    public func at(_ place: String) -> InputError {
        InputError(place + ": " + message, status: status)
    }
}
