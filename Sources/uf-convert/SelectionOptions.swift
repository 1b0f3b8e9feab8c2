import ArgumentParser
import CommandSupport
import PreferenceData
import RecordStream
import SystemIO

/// Which records are kept, and in which part.
struct SelectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp(
        """
        Divide the prompts by a hash of their text alone, as in train=0.9,test=0.1: a prompt is in the same part in every run and data set. Shares \
        below 1 in sum leave the rest out. All parts are written side by side, each a stream by itself (shards are a set with a MANIFEST), and -o names \
        them with a % where the part's name goes, as in -o 'ultra-%.uf'; or --part writes one.
        """, valueName: "name=share,..."))
    var split: String?

    @Option(help: ArgumentHelp("Write only this part of the split.", valueName: "name"))
    var part: String?

    @Option(name: .customLong("where"), help: ArgumentHelp(
        """
        Keep only records that meet the condition, with ratings as they go into the stream; may be repeated: records must meet all, and are counted by \
        the first that they do not.
        """, valueName: "condition"))
    var conditions: [String] = []

    @Option(help: ArgumentHelp(
        """
        Keep so many records, those with the lowest hashes of seed and id: the same ones in whatever order and number of files they come. Of each part \
        of a split by itself, of all shards together; the records to choose from wait in a file of $TMPDIR.
        """, valueName: "number"))
    var sample: Int?

    @Option(help: ArgumentHelp("Give each source the share in the sample that it has among the records (by largest remainder).", valueName: "by"))
    var stratify: Sample.Strata?

    @Option(help: ArgumentHelp("What decides which records are in the sample. (default: 0)", valueName: "number"))
    var seed: UInt64?

    func validate() throws {
        if split == nil, part != nil { throw ValidationError("--part needs --split NAME=SHARE,...") }
        if let sample, sample < 1 { throw ValidationError("--sample takes a number from 1") }
        if sample == nil, stratify != nil || seed != nil { throw ValidationError("\(stratify == nil ? "--seed" : "--stratify") goes with --sample NUMBER") }
    }

    func apply(to options: inout ConversionOptions) throws {
        do {
            options.split = try split.map { try Split($0, part: part) }
            options.conditions = try conditions.map { try RecordFilter($0, schema: RatedRecord.schema) }
        } catch let fault as OptionFault {
            throw ValidationError(fault.description)
        } catch let fault as InputError {
            throw ValidationError(fault.message)
        }
        options.sample = sample.map { Sample(count: $0, seed: seed ?? 0, strata: stratify) }
    }

    /// The names of the parts' files, where all parts are written. Throws unless `output` has a % for the part's name.
    func partNames(_ options: ConversionOptions, output: String?) throws -> [String]? {
        guard let split = options.split, split.wanted == nil else { return nil }
        guard let names = output.flatMap(PartNames.init) else {
            throw ValidationError("--split writes all parts under a name of -o with a % where the part's name goes, as in -o 'ultra-%.uf' "
                + "(or give --part to write one part)")
        }
        guard split.parts.count <= Division.mostParts else {
            throw ValidationError("--split has \(split.parts.count) parts, at most \(Division.mostParts) are written at once: give --part")
        }
        if let part = split.parts.first(where: { $0.name.contains("/") }) {
            throw ValidationError("the part \"\(part.name)\" cannot be part of a file's name: give --part to write it")
        }
        return split.parts.map { names[$0.name] }
    }
}

extension Sample.Strata: ExpressibleByArgument {}
