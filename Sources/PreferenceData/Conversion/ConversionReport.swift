import InputFiles
import JSON
import RecordStream

extension Conversion {
    /// All that `--report` tells, under the names that `reportHelp` explains. Call it after `run`.
    /// - Parameter release: of the command, for the record.
    public func report(_ inputs: DecodedInputs, release: String) -> JSONValue {
        let counts = counts
        return .object([
            ("command", "uf-convert"), ("release", .string(release)),
            ("inputs", .array(inputs.digests.enumerated().map { number, digest in
                .object([
                    ("name", .string(inputs.names[number])), ("records", JSONValue(records[number + 1] ?? 0)), ("bytes", JSONValue(digest.length)),
                    ("sha256", .string(digest.sha256)),
                ])
            })),
            ("passed_over", .array(inputs.passedOver.map { .string($0) })),
            ("ratings", .object(counts.dimensions.map { JSONMember($0.name, $0.counts.json) })), ("completions", counts.completionsJSON),
            ("empty_responses", JSONValue(counts.emptyResponses)), ("duplicate_prompts", JSONValue(counts.duplicatePrompts)),
            ("counts", counts.json), ("places", counts.placesJSON),
        ] + (options.deduplication == .near ? [("deduplication", DuplicateIndex.parametersJSON)] : []) + (statistics.map { [("statistics", $0.json)] } ?? []) + (decontaminationJSON.map { [("decontamination", $0)] } ?? []))
    }

    /// What the members of the report are, for the command's help: lines of at most 78 characters, which no terminal wraps.
    public static let reportHelp = """
        inputs          of each file: name, records, decoded bytes, sha256
        passed_over     files of archives that are no inputs (AppleDouble)
        ratings         by dimension, of all sources: rated, n/a, missing, null,
                        out_of_range; tied_pairs (pairs of a record's responses
                        with equal ratings), all_tied (records all of whose
                        ratings are equal), left_out (records whose targets lack
                        the dimension)
        completions     records by their number of responses
        empty_responses, duplicate_prompts
                        how many
        counts          as the stream carries them: records (read, kept, dropped
                        and skipped by reason, ...), odd, and the ratings by
                        source and dimension
        deduplication   of --dedup near: words of a shingle, bands and rows of
                        MinHash, least Jaccard similarity
        places          of each reason in dropped, skipped, ratings and odd, and
                        under records of no_part the first \(FirstPlaces.most) records, in the
                        order of the inputs: input, name, line (or element)
        statistics      by source and of all; ratings and texts of the records
                        that were counted, dropped ones too; targets of those kept
          prompt_bytes, response_bytes
                        count, sum, mean, quantiles (exact to 1023, beyond at
                        most 1.6 % below the truth)
          dimensions    mean, standard_deviation; histogram by value, or, of more
                        than \(RatingHistogram.mostValues) values, in \(RatingHistogram.bins) equal bins of the range; pairs,
                        tied_pairs, tied_share; target_entropy in nats: mean,
                        mean_ln_n (of even targets), share_of_ln_n, quantiles
                        (steps of 0.001, above 1.024 of 1.6 %)
          correlations  Pearson's r of two dimensions over the responses that
                        have both ratings; null where one never changes
        decontamination the benchmarks' files, and every record left out with the
                        words it shares
        """
}
