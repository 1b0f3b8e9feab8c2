import LanguageModel
import ModelFiles

@testable import Alignment

enum LanguageModelForTests {
    static func logProbs(_ shard: PackedShard, _ folder: ModelFolder) throws -> ReferenceLogProbs {
        try LanguageModel(folder: folder, workers: 1).responseLogProbs(shard) { _, _ in }
    }
}
