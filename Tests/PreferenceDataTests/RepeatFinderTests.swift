import InputFiles
import SystemIO
import TestSupport
import Testing
@testable import PreferenceData

@Suite struct RepeatFinderTests {
    /// However few are held at once, what repeats is what a set says.
    @Test(arguments: [1, 2, 7, 100, 5000]) func findsWhatASetFinds(held: Int) throws {
        var generator = SeededGenerator(seed: 3)
        let hashes = (0 ..< 2000).map { _ in UInt64.random(in: 0 ..< 700, using: &generator) << 50 }
        var finder = RepeatFinder(holding: held), known: Set<UInt64> = [], expected: [Int] = [], found: [Int] = []
        for (i, hash) in hashes.enumerated() {
            if !known.insert(hash).inserted { expected.append(i) }
            if try finder.isRepeated(hash, at: .init(input: i / 512, number: i % 512, offset: 10 * i, output: 5)) { found.append(i) }
        }
        try finder.finish { sighting in
            #expect(sighting.output == 5 && sighting.offset == 10 * (512 * sighting.input + sighting.number))
            found.append(512 * sighting.input + sighting.number)
        }
        #expect(found.sorted() == expected && expected.count > 1000)
    }

    /// Counts, first places and the refusal of --strict are those of a conversion that holds all.
    @Test(arguments: [1, 3]) func conversionsCountTheSame(held: Int) throws {
        let files = ["evol_instruct-one", "odd", "evol_instruct-one", "odd"].map { Fixtures.path("ultrafeedback/\($0).jsonl") }
        func counts(_ repeats: RepeatFinder, strict: Bool = false) throws -> ConversionCounts {
            var options = ConversionOptions()
            options.strict = strict
            let conversion = Conversion(options, repeats: repeats)
            try conversion.run(ChunkReader(DecodedInputs(strict ? [files[0], files[0]] : files)), threads: 1) { _, _ in }
            return conversion.counts
        }
        let plain = try counts(RepeatFinder())
        #expect(try counts(RepeatFinder(holding: held)) == plain)
        #expect(plain.duplicatePrompts == 18 && plain.duplicateRecords == 17)
        #expect(throws: InputError("\(files[0]): line 1: the prompt of an earlier record stands here again (--strict stops at the first oddity)")) {
            try counts(RepeatFinder(holding: held), strict: true)
        }
    }
}
