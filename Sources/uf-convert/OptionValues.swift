import ArgumentParser
import PreferenceData

extension SourceFormat: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
    public static var allValueStrings: [String] { ["auto"] + listing.map(\.name) }
    public var defaultValueDescription: String { name }
}

extension UltraFeedbackScore: ExpressibleByArgument {}
extension SystemPrompts: ExpressibleByArgument {}
extension MissingPolicy: ExpressibleByArgument {}
extension DuplicateIndex.Mode: ExpressibleByArgument {}
extension ConversionOptions.OnBadRecord: ExpressibleByArgument {}

typealias RatingScale = ByDimension<RatingRange?>
typealias Temperature = ByDimension<Double>

extension RatingScale {
    /// `--scale`: `1:5`, `NAME=LOW:HIGH,...`
    static func read(_ text: String) throws -> RatingScale {
        try RatingScale(text, others: nil) { field throws(OptionFault) in try RatingRange(field, separator: ":") }
    }
}

extension Temperature {
    /// `--temperature`: `0.5`, `NAME=T,...`
    static func read(_ text: String) throws -> Temperature {
        try Temperature(text, others: 1) { field throws(OptionFault) in
            guard let value = Double(field), value > 0, value.isFinite else { throw OptionFault("\"\(field)\" is no number above 0") }
            return value
        }
    }
}
