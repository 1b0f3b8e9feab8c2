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

extension RatingRange: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension DimensionChoice: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

/// `--scale`: `1:5`, `NAME=LOW:HIGH,...`
struct RatingScale: ExpressibleByArgument {
    let value: ByDimension<RatingRange?>

    init?(argument: String) {
        guard let value = ByDimension<RatingRange?>(argument, others: nil, value: { RatingRange($0, separator: ":").map(Optional.some) }) else { return nil }
        self.value = value
    }
}

/// `--temperature`: `0.5`, `NAME=T,...`
struct Temperature: ExpressibleByArgument {
    let value: ByDimension<Double>

    init(value: ByDimension<Double>) { self.value = value }

    init?(argument: String) {
        guard let value = ByDimension(argument, others: 1, value: { Double($0) }) else { return nil }
        self.value = value
    }

    var defaultValueDescription: String { "1" }
}
