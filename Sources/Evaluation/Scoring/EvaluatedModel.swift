import Checksums
import LanguageModel
import ModelFiles
import RecordStream
import SystemIO

/// A model folder opened for scoring.
public final class EvaluatedModel {
    /// The folder, for messages.
    public let path: String
    public let folder: ModelFolder
    public let model: LanguageModel
    /// `ModelFolder.digest`, hexadecimal.
    public let digest: String

    /// - Parameter workers: threads; the results are the same for any number.
    public init(path: String, workers: Int, precision: Precision = .single) throws {
        self.path = path
        folder = try ModelFolder(path: path)
        model = try LanguageModel(folder: folder, workers: workers, precision: precision)
        digest = hexadecimal(try folder.digest())
    }

    /// SHA-256 of the folder's vocabulary, which has to be there.
    public func tokenizerDigest() throws -> String {
        _ = try folder.tokenizerFiles.requireVocabulary()
        return hexadecimal(try folder.tokenizerFiles.vocabularyDigest() ?? [])
    }

    /// Refuses a packed stream whose token ids another tokenizer made.
    public func checkTokenizer(of head: StreamHead, in name: String) throws {
        guard let theirs = head.settings["tokenizer"]?.string else {
            throw InputError("\(name): its head names no tokenizer, so nothing says that its token ids are \(path)'s; make it again with uf-tokenize and uf-pack")
        }
        let ours = try tokenizerDigest()
        guard theirs == ours else {
            throw InputError("\(name): its token ids were made with the tokenizer of sha256 \(theirs), that of \(path) has \(ours); run uf-tokenize with the model's tokenizer and pack again")
        }
    }
}
