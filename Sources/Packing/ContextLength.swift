import JSON
import RecordStream
import SystemIO

/// Where the longest sequence that a model takes is written.
public enum ContextLength {
    /// `max_position_embeddings` of a model folder's `config.json`.
    public static func ofModel(_ folder: String) throws -> Int {
        let path = folder + "/config.json"
        let bytes = try readWholeFile(path, limit: 1 << 24)
        let config: JSONValue
        do { config = try JSON.parse(bytes) } catch { throw InputError("\(path): \(error)") }
        guard let value = config["max_position_embeddings"] else {
            throw InputError("\(path): no max_position_embeddings, so the model's context is unknown; give --max-length")
        }
        return try length(value, "\(path): max_position_embeddings")
    }

    /// `context_length` in the settings of a tokens stream, where its maker knew it.
    public static func ofStream(_ settings: [String: JSONValue]) throws -> Int? {
        try settings["context_length"].map { try length($0, "the tokens stream's context_length") }
    }

    private static func length(_ value: JSONValue, _ place: String) throws -> Int {
        guard let length = value.int, (2 ... PackingOptions.largestLength).contains(length) else {
            throw InputError("\(place) is \(value.found), expected a number from 2 to \(PackingOptions.largestLength); give --max-length")
        }
        return length
    }
}
