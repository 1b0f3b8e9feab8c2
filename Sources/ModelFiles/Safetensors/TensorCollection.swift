import JSON
import SystemIO

/// The weights of a model folder: `model.safetensors`, or the shards that `model.safetensors.index.json` names, as one collection of tensors.
public final class TensorCollection: Sendable {
    /// The file or index that was opened, for messages.
    public let path: String
    /// Sorted by name.
    public let tensors: [TensorEntry]
    private let files: [SafetensorsFile]
    private let places: [String: Int]

    static let singleFile = "model.safetensors"
    static let index = "model.safetensors.index.json"
    /// Each shard stays mapped; the largest published models have a few hundred.
    private static let mostShards = 4096

    /// Opens the weights of a folder. A single file wins over an index, as in transformers.
    public convenience init(folder: String) throws {
        if fileExists(folder + "/" + TensorCollection.singleFile) {
            try self.init(file: folder + "/" + TensorCollection.singleFile)
        } else if fileExists(folder + "/" + TensorCollection.index) {
            try self.init(index: folder + "/" + TensorCollection.index, folder: folder)
        } else {
            throw InputError("\(folder): holds neither model.safetensors nor model.safetensors.index.json; a model folder in the Hugging Face layout was expected (uf-train import makes one from a GGUF)",
                             status: .missingInput)
        }
    }

    /// Opens one file.
    public init(file: String) throws {
        let one = try SafetensorsFile(path: file)
        path = file
        files = [one]
        tensors = one.tensors
        places = Dictionary(uniqueKeysWithValues: one.tensors.map { ($0.name, 0) })
    }

    private init(index path: String, folder: String) throws {
        let shardOfName = try TensorCollection.weightMap(path)
        let shards = Set(shardOfName.values).sorted()
        guard shards.count <= TensorCollection.mostShards else { throw InputError("\(path): names \(shards.count) shards; at most \(TensorCollection.mostShards) are read") }
        files = try shards.map { try SafetensorsFile(path: folder + "/" + $0) }
        var places: [String: Int] = [:]
        for (number, file) in files.enumerated() {
            for entry in file.tensors {
                guard shardOfName[entry.name] == shards[number] else {
                    throw InputError("\(file.path): holds the tensor \(entry.name), which \(TensorCollection.index) places \(shardOfName[entry.name].map { "in \($0)" } ?? "nowhere"): the shards do not belong together")
                }
                places[entry.name] = number
            }
        }
        for (name, shard) in shardOfName.sorted(by: { $0.key < $1.key }) where places[name] == nil {
            throw InputError("\(path): places the tensor \(name) in \(shard), which does not hold it: the shards do not belong together")
        }
        self.path = path
        self.places = places
        tensors = files.flatMap(\.tensors).sorted { $0.name < $1.name }
    }

    private static func weightMap(_ path: String) throws -> [String: String] {
        let value = try readJSONFile(path, limit: SafetensorsHeader.maximumBytes)
        guard let members = value["weight_map"]?.object, !members.isEmpty else { throw InputError("\(path): weight_map should be an object from tensor names to files") }
        var shards: [String: String] = [:]
        for member in members {
            guard let name = asciiName(member.key.bytes), let shard = member.value.string, isPlainFileName(shard) else {
                throw InputError("\(path): weight_map places \(member.key) in \(member.value.text.map { "\"\($0)\"" } ?? member.value.typeName); the name of a file in the same folder was expected")
            }
            guard shards.updateValue(shard, forKey: name) == nil else { throw InputError("\(path): weight_map names \(name) twice") }
        }
        return shards
    }

    public func entry(_ name: String) -> TensorEntry? {
        places[name].flatMap { files[$0].entry(name) }
    }

    /// The file that holds a tensor, for messages.
    public func file(of name: String) -> String? { places[name].map { files[$0].path } }

    /// The entry of a tensor that has to be there with just this shape.
    public func entry(_ name: String, shape: [Int]) throws -> TensorEntry {
        guard let entry = entry(name) else { throw InputError("\(path): the tensor \(name) is missing; config.json asks for it with shape \(shapeText(shape))") }
        guard entry.shape == shape else { throw InputError("\(path): the tensor \(name) has shape \(shapeText(entry.shape)); config.json asks for \(shapeText(shape))") }
        return entry
    }

    /// Reads a tensor as single precision into `target`, which holds as many floats as the tensor has elements.
    public func read(_ name: String, into target: UnsafeMutableBufferPointer<Float>) throws {
        guard let place = places[name], let entry = files[place].entry(name) else { throw InputError("\(path): the tensor \(name) is missing") }
        try files[place].read(entry, into: target)
    }

    /// A tensor's values in single precision, row-major.
    public func floats(_ name: String) throws -> [Float] {
        guard let entry = entry(name) else { throw InputError("\(path): the tensor \(name) is missing") }
        return try [Float](unsafeUninitializedCapacity: entry.elements) { buffer, count in
            try read(name, into: UnsafeMutableBufferPointer(rebasing: buffer[..<entry.elements]))
            count = entry.elements
        }
    }

    /// The bytes of a tensor as stored.
    public func withBytes<Result>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        guard let place = places[name], let entry = files[place].entry(name) else { throw InputError("\(path): the tensor \(name) is missing") }
        return try files[place].withBytes(of: entry, body)
    }
}
