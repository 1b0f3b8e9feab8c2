import JSON
import LanguageModel
import ModelFiles
import RecordStream
import SystemIO
import TestSupport

/// A case of fixtures/gradients: lambda-DPO of one record in float64 by PyTorch.
struct GradientCase: CustomStringConvertible, Sendable {
    var name: String
    var model: String
    private let json: JSONValue

    var description: String { name }

    /// All cases, by name.
    static let all: [GradientCase] = {
        var cases: [GradientCase] = []
        for model in ["tiny-tied", "tiny-untied", "stories260K"] {
            let folder = Fixtures.path("gradients/\(model)")
            for path in files(in: folder) where path.hasSuffix(".json") && path.contains("-n") {
                guard let json = try? JSON.parse(readWholeFile(path)), let name = json["name"]?.string else { continue }
                cases.append(GradientCase(name: name, model: model, json: json))
            }
        }
        return cases.sorted { $0.name < $1.name }
    }()

    private init(name: String, model: String, json: JSONValue) {
        self.name = name
        self.model = model
        self.json = json
    }

    func number(_ key: String) -> Double { json[key]?.double ?? .nan }
    func numbers(_ key: String) -> [Double] { json[key]?.array?.map { $0.double ?? .nan } ?? [] }
    func string(_ key: String) -> String { json[key]?.string ?? "" }
    private func tokens(_ value: JSONValue?) -> [UInt32] { value?.array?.map { UInt32($0.int ?? 0) } ?? [] }

    var policyFolder: String { Fixtures.path("gradients/\(model)/policy") }
    /// The whole gradient of the loss.
    func gradient() throws -> Gradient {
        Gradient(parts: try (json["gradients"]?.object ?? []).map { file in
            (file.value.double ?? .nan, try TensorCollection(file: Fixtures.path("gradients/\(model)/\(file.key)")))
        })
    }

    /// Files of gradients that, each times its coefficient, sum up to a case's; mostly a single one times 1.
    struct Gradient {
        var parts: [(coefficient: Double, file: TensorCollection)]

        var tensorNames: [String] { parts.first?.file.tensors.map(\.name) ?? [] }

        /// By a tensor's elements, row-major.
        func values(_ name: String) throws -> [Double] {
            var sum: [Double] = []
            for (coefficient, file) in parts {
                let values = try file.floats(name).map { coefficient * Double($0) }
                sum = sum.isEmpty ? values : zip(sum, values).map(+)
            }
            return sum
        }
    }

    /// How far PyTorch's own float32 is off in L_k.
    var float32DimensionErrors: [Double?] { json["float32_dimension_loss_errors"]?.array?.map(\.double) ?? [] }

    /// L_k; nil for a dimension that is left out.
    var dimensionLosses: [Double?] { json["dimension_losses"]?.array?.map(\.double) ?? [] }

    var record: TestRecord {
        let targets = json["targets"]?.array?.map { $0.array?.map(\.double) ?? [] } ?? []
        return TestRecord(
            id: "000102030405060708090a0b0c0d0e0f", prompt: tokens(json["prompt"]), responses: json["responses"]?.array?.map { tokens($0) } ?? [],
            dimensions: targets.indices.map { "dimension \($0)" }, targets: targets)
    }
}
