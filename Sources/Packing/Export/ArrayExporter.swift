import JSON
import RecordStream
import SystemIO

/// Packed records as padded arrays of NumPy in one file (.npz).
///
/// What the arrays need to know of the whole comes from a first pass over the records (`survey`), and each array from a pass of its own: memory holds one bin, whatever their number.
public struct ArrayExporter {
    /// Calls its argument with every bin, in order; the same ones each time.
    public typealias Bins = ((PackedBin) throws -> Void) throws -> Void

    private let layout: PackedLayout
    private let padding: Padding
    private let survey: ArraySurvey

    public struct Padding: Sendable {
        /// Tokens of a row, a multiple of 8; nil: those of the longest, rounded up to one.
        public var length: Int?
        /// What stands in input_ids behind a row's tokens.
        public var token: UInt32

        public init(length: Int? = nil, token: UInt32 = 0) {
            self.length = length
            self.token = token
        }
    }

    /// - Throws: `InputError` for a row that is longer than `padding.length`.
    public init(_ bins: Bins, layout: PackedLayout, padding: Padding = Padding()) throws {
        self.layout = layout
        self.padding = padding
        var survey = ArraySurvey()
        try bins { bin in
            for record in try bin.unpacked(layout) {
                if let length = padding.length, let longest = record.sequences.map(\.tokens.count).max(), longest > length {
                    throw InputError("record \(record.member.id) has a row of \(longest) tokens, which --pad-to \(length) has no room for; give at least \((longest + 7) / 8 * 8)")
                }
                survey.add(record)
            }
        }
        self.survey = survey
    }

    public var counts: ExportCounts {
        var counts = ExportCounts()
        counts.records = survey.records
        counts.written = survey.rows
        return counts
    }

    /// Writes the file; `sink` is finished by whoever made it.
    public func write(_ bins: Bins, to sink: any ByteSink) throws {
        var zip = ZipWriter(sink)
        for array in arrays {
            let header = array.header, size = array.byteCount
            try zip.begin(array.name + ".npy", size: header.count + size)
            try zip.write(header)
            var written = 0, place = ArrayPlace()
            func put(_ bytes: [UInt8]) throws {
                written += bytes.count
                try zip.write(bytes)
            }
            if let constant = array.constant {
                try put(constant)
            } else {
                try bins { bin in
                    var bytes: [UInt8] = []
                    for record in try bin.unpacked(layout) {
                        array.append(&bytes, record, place)
                        place.record += 1
                        place.row += record.rowCount
                    }
                    try put(bytes)
                }
            }
            guard written == size else { throw InputError("the records changed while they were exported: \(array.name) has \(written) bytes, expected \(size)", status: .ioError) }
        }
        try zip.finish()
    }

    private var arrays: [RecordArray] {
        let length = padding.length ?? (survey.longestRow + 7) / 8 * 8, rows = survey.rows, token = Int64(padding.token)
        func tokens(_ name: String, padding: Int64, _ value: @escaping (ResponseSequence) -> [Int64]) -> RecordArray {
            RecordArray(name, "<i8", [rows, length]) { bytes, record, _ in
                for row in 0 ..< record.rowCount {
                    let values = value(record.sequences[row % record.sequences.count])
                    bytes.reserveCapacity(bytes.count + 8 * length)
                    for value in values { bytes.add(value) }
                    for _ in values.count ..< length { bytes.add(padding) }
                }
            }
        }
        /// A number for each row.
        func numbers(_ name: String, _ value: @escaping (UnpackedRecord, Int, ArrayPlace) -> Int) -> RecordArray {
            RecordArray(name, "<i8", [rows]) { bytes, record, place in
                for row in 0 ..< record.rowCount { bytes.add(Int64(value(record, row, place))) }
            }
        }
        var arrays = [
            tokens("input_ids", padding: token) { $0.tokens.map { Int64($0) } },
            tokens("attention_mask", padding: 0) { [Int64](repeating: 1, count: $0.tokens.count) },
            tokens("labels", padding: -100) { sequence in
                var labels = [Int64](repeating: -100, count: sequence.tokens.count)
                for range in sequence.learnt { for place in range { labels[place] = Int64(sequence.tokens[place]) } }
                return labels
            },
            numbers("record") { _, _, place in place.record },
            numbers("response") { record, row, _ in row % record.sequences.count },
        ]
        if layout == .rows16 {
            arrays.append(numbers("dimension") { record, row, _ in survey.dimensionNumber(record.member.ratings.dimensions[row / record.sequences.count]) })
            arrays.append(RecordArray("pi_target", "<f4", [rows]) { bytes, record, _ in for target in record.member.piTarget { bytes.add(target.bitPattern) } })
        } else {
            arrays += ratings
        }
        if layout == .pairs {
            arrays.append(RecordArray("pairs", "<i8", [survey.pairs, 2]) { bytes, record, place in
                for pair in record.pairs { for response in [pair.better, pair.worse] { bytes.add(Int64(place.row + response)) } }
            })
        }
        arrays.append(RecordArray("record_ids", textsOf: survey.records, longest: survey.longestID) { $0.member.id })
        arrays.append(RecordArray("sources", textsOf: survey.records, longest: survey.longestSource) { $0.member.source })
        arrays.append(RecordArray("dimensions", survey.dimensions))
        return arrays
    }

    /// m x rows, a row's m values beside each other: so they can be written as the rows come.
    private var ratings: [RecordArray] {
        func matrix<Value>(_ name: String, _ type: String, _ values: @escaping (Ratings) -> [Value], missing: Value, _ add: @escaping (inout [UInt8], Value) -> Void) -> RecordArray {
            RecordArray(name, type, [survey.dimensions.count, survey.rows], isColumnMajor: true) { bytes, record, _ in
                let own = record.member.ratings, values = values(own)
                let places = survey.dimensions.map { own.dimensions.firstIndex(of: $0) }
                for response in record.sequences.indices {
                    for place in places { add(&bytes, place.map { values[$0 * record.sequences.count + response] } ?? missing) }
                }
            }
        }
        return [
            matrix("ratings", "<f8", { $0.ratings }, missing: .nan) { $0.add($1.bitPattern) }, matrix("rated", "|u1", { $0.rated }, missing: 0) { $0.append($1) },
            matrix("targets", "<f8", { $0.targets }, missing: 0) { $0.add($1.bitPattern) },
        ]
    }
}

/// What the shapes of the arrays depend on.
struct ArraySurvey {
    var records = 0, rows = 0, pairs = 0
    /// Tokens of the longest row; characters of the longest texts.
    var longestRow = 0, longestID = 0, longestSource = 0
    /// Of all records, in the order in which they first come.
    var dimensions: [Text] = []

    mutating func add(_ record: UnpackedRecord) {
        records += 1
        rows += record.rowCount
        pairs += record.pairs.count
        longestRow = max(longestRow, record.sequences.map(\.tokens.count).max() ?? 0)
        longestID = max(longestID, RecordArray.codePoints(record.member.id).count)
        longestSource = max(longestSource, RecordArray.codePoints(record.member.source).count)
        for name in record.member.ratings.dimensions where !dimensions.contains(name) { dimensions.append(name) }
    }

    func dimensionNumber(_ name: Text) -> Int { dimensions.firstIndex(of: name) ?? -1 }
}

/// How many records and rows came before.
struct ArrayPlace {
    var record = 0, row = 0
}
