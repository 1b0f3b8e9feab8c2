/// An error with a cause outside the program: one line that says where, what was expected and what to do, and the exit status it leads to.
public struct InputError: Error, Sendable, Equatable, CustomStringConvertible {
    public var message: String
    public var status: ExitStatus

    /// - Parameter message: may quote data. What would break the line or reach a terminal as a command becomes `?`, and of a very long one the middle is
    ///   left out.
    public init(_ message: String, status: ExitStatus = .invalidData) {
        self.message = InputError.oneLine(message)
        self.status = status
    }

    private static let longest = 4096, keptEnd = 1024, gap = " ... "

    private static func oneLine(_ message: String) -> String {
        var scalars = message.unicodeScalars
        if message.utf8.count > longest {
            let start = prefix(scalars, bytes: longest - keptEnd - gap.utf8.count), end = prefix(scalars.reversed(), bytes: keptEnd).reversed()
            scalars = String.UnicodeScalarView(start + gap.unicodeScalars + end)
        }
        guard scalars.contains(where: isControl) || scalars.count < message.unicodeScalars.count else { return message }
        return String(String.UnicodeScalarView(scalars.map { isControl($0) ? "?" : $0 }))
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool { scalar.value < 0x20 || (0x7F ... 0x9F).contains(scalar.value) }

    /// As many as fit into so many bytes of UTF-8.
    private static func prefix(_ scalars: some Sequence<Unicode.Scalar>, bytes: Int) -> [Unicode.Scalar] {
        var room = bytes
        return Array(scalars.prefix { scalar in
            room -= UTF8.width(scalar)
            return room >= 0
        })
    }

    public var description: String { message }

    /// A number for messages: a NaN without the bits that it carries.
    public static func text(_ value: Double) -> String { value.isNaN ? "nan" : "\(value)" }

    /// The same error with its place put in front ("file: line 3: ...").
    public func at(_ place: String) -> InputError {
        InputError(place + ": " + message, status: status)
    }
}
