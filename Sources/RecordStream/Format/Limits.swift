/// The sizes that the format fixes. A reader refuses what is larger before it allocates; a writer refuses to make it.
public enum StreamLimits {
    /// Raw column bytes of one record.
    public static let recordBytes = 64 << 20
    /// Raw payload bytes of one DATA frame.
    public static let blockBytes = 128 << 20
    /// HEAD and TAIL payload bytes.
    public static let headBytes = 16 << 20
    /// A block closes after the record that brings its raw column bytes here ...
    public static let blockTarget = 1_048_576
    /// ... or its number of records here.
    public static let blockRecords = 65_536
    /// Every frame, payload and column array starts on a multiple of this.
    public static let alignment = 64
    /// The most bytes that a codec may store for `raw` payload bytes: incompressible data grows a little.
    static func storedBytes(forRaw raw: Int) -> Int { raw + raw / 128 + 1024 }
}

extension Int {
    /// Rounded up to the next multiple of 64.
    var aligned: Int { (self + StreamLimits.alignment - 1) & ~(StreamLimits.alignment - 1) }
}
