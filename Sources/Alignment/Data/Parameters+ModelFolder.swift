import LanguageModel
import ModelFiles
import SystemIO

extension Parameters {
    /// The weights of a model folder, in single precision.
    /// - Throws: `InputError` for a configuration that the engine does not compute, and for tensors that are missing or of another shape.
    convenience init(_ folder: ModelFolder) throws {
        let configuration: ModelConfiguration
        do { configuration = try ModelConfiguration(json: folder.config) } catch let error as InputError { throw error.at("\(folder.path)/config.json") }
        try self.init(configuration: configuration) { tensor, values in
            _ = try folder.weights.entry(tensor.name, shape: tensor.shape)
            try folder.weights.read(tensor.name, into: values)
        }
    }
}
