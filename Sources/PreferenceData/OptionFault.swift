/// Why the value of an option is none, in words that follow the value.
public struct OptionFault: Error, Equatable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}
