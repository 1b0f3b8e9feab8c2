import BenchmarkData
import InputFiles
import RecordStream
import SystemIO

/// Keeps benchmarks out of training data: which records share text with a document of a benchmark.
///
/// **Words.** A text is cut at ASCII white space; ASCII punctuation at the ends of a word is taken off, and what is nothing else is no word; ASCII capitals
/// become small. Other characters stand as they are. So `"What's this?"` and `what's  this` are the same two words.
///
/// **A match.** A record is contaminated when one of its texts - the content of a turn of the prompt, whatever its role, or a response, each by itself - holds
/// - 13 words in a row that stand in a row in one text of a document: its question (context, sentence) or one of its answers (choices, endings, worked
///   solution); or,
/// - where the question has 8 to 12 words, all of them in a row.
///
/// 13 is the length that language models' own reports check. Many questions are shorter, TruthfulQA's mostly, and would never be found; 8 is the lower bound
/// that those reports set. Measured on 2,987 records of preference data against all six benchmarks: runs of 13 words found 7 records and short questions 1, all
/// of them real; short answers would have added phrases that anybody writes (8 words: "the supply curve will shift to the right"; 6: "the fall of the berlin
/// wall"), questions of 4 to 7 words the like of "the sky is blue because". An answer alone gives no question away, so short answers do not count.
///
/// Texts with marks that only a benchmark's layout has are read without them (`[title]` in HellaSwag, `<<2+2=4>>` in GSM8K: with and without).
/// Runs are found by 64-bit hashes and then compared word by word: a collision of hashes neither removes a record nor hides a match.
public struct Decontamination: Sendable {
    public let files: BenchmarkFiles
    private let index: OverlapIndex

    /// Reads files and folders of benchmarks (see `BenchmarkFiles.read`).
    public init(_ operands: [String]) throws { try self.init(operands, index: OverlapIndex()) }

    init(_ operands: [String], index: OverlapIndex) throws {
        var index = index
        files = try BenchmarkFiles.read(operands) { try index.add($0) }
        index.finish()
        self.index = index
    }

    /// What is in a record that must not be; nil for most. The first in the order of turns and responses, and of words in them.
    func contamination(of record: RawPreference, at place: RecordPlace) -> Contamination? {
        for (i, turn) in record.turns.enumerated() {
            if let overlap = index.firstOverlap(in: turn.content) { return Contamination(place, .turn(i), overlap) }
        }
        for (i, response) in record.responses.enumerated() {
            if let overlap = index.firstOverlap(in: response) { return Contamination(place, .response(i), overlap) }
        }
        return nil
    }

    /// For the command line that makes the stream again. The benchmarks are known by the digest of all their files together: an archive alone may hold 171.
    var provenance: [Provenance.Argument] { [.text("--decontaminate"), .file(role: "benchmarks", sha256: files.sha256)] }
}
