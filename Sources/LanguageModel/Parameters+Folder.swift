import ModelFiles
import SystemIO

/// Models in the Hugging Face layout.
extension ModelConfiguration {
    /// - Throws: `InputError` naming config.json, the field and what is supported.
    public init(folder: ModelFolder) throws {
        do {
            try self.init(json: folder.config)
        } catch let error as InputError {
            throw error.at(folder.path + "/config.json")
        }
    }
}

extension Parameters {
    /// Reads the weights of a model folder.
    ///
    /// - Throws: `InputError` when a tensor is missing, has another shape than the configuration asks for, or is none that the engine computes with (a bias, an
    ///   adapter): leaving it out would run another model than the folder holds.
    public convenience init(folder: ModelFolder) throws {
        let configuration = try ModelConfiguration(folder: folder), layout = ParameterLayout(configuration)
        // Everything is checked before memory is asked for: a small file may describe a huge model.
        for tensor in layout.tensors { _ = try folder.weights.entry(tensor.name, shape: tensor.shape) }
        for entry in folder.weights.tensors where layout.tensor(entry.name) == nil {
            // Older exports repeat the tied output weights and store tables that follow from the configuration.
            if entry.name == "lm_head.weight" || entry.name.hasSuffix(".rotary_emb.inv_freq") { continue }
            throw InputError("\(folder.path): the tensor \(entry.name) is not part of a model of type \"llama\" as config.json describes it; merge adapters and remove what the model does not use")
        }
        try self.init(configuration: configuration) { tensor, values in try folder.weights.read(tensor.name, into: values) }
    }

    /// The tensors for a model folder's writer, in the order of the arena; values are read while the file is written.
    public var tensorSources: [TensorSource] {
        tensors.map { tensor in
            TensorSource(name: tensor.name, shape: tensor.shape) { sink in try sink.write(UnsafeBufferPointer(self[tensor])) }
        }
    }
}

extension LanguageModel {
    /// Opens a model folder.
    /// - Parameter workers: threads; 0 means one for every CPU this process may use.
    public convenience init(folder: ModelFolder, workers: Int = 0, precision: Precision = .single) throws {
        self.init(parameters: try Parameters(folder: folder), workers: workers, precision: precision)
    }
}
