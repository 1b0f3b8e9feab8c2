import CTokenization
import Glibc

/// Encodes pieces with characters of several bytes part by part (see `SymbolJoints`), with the units of characters met so far: one a thread.
final class PartEncoder {
    let speller: UnsafeMutablePointer<uf_speller>
    private var units = FixedBuffer<uf_unit>([])

    init() {
        speller = .allocate(capacity: 1)
        speller.initialize(to: uf_speller())
        // By code point. Untouched pages take no memory.
        guard let memory = calloc(0x110000, MemoryLayout<UInt32>.stride) else { outOfMemory(4 * 0x110000) }
        speller.pointee.unit_places = memory.bindMemory(to: UInt32.self, capacity: 0x110000)
    }

    deinit {
        free(speller.pointee.unit_places)
        speller.deallocate()
    }

    /// Forgets the units of another vocabulary. The tokenizer must live as long as its pieces are encoded.
    func serve(_ tokenizer: Tokenizer) {
        guard let joints = tokenizer.joints else { return }
        // Of an earlier vocabulary, where there was one: characters that are no unit of it are marked too.
        if speller.pointee.units != nil { speller.pointee.unit_places.update(repeating: UInt32(UF_UNKNOWN_UNIT), count: 0x110000) }
        units = FixedBuffer(uninitializedCount: tokenizer.vocabularySize)
        speller.pointee.merges = tokenizer.merges.view.merges
        speller.pointee.byte_ids = UnsafePointer(tokenizer.symbols.byteIDs.base)
        speller.pointee.joints = UnsafePointer(joints.bits.base)
        speller.pointee.joint_shift = joints.shift
        speller.pointee.edges = tokenizer.units.edges
        speller.pointee.units = units.base
        speller.pointee.pieces = UnsafePointer(tokenizer.pieces.entries)
        speller.pointee.entries = tokenizer.symbols.takesWholeEntries ? UnsafePointer(tokenizer.pieces.entries) : nil
        speller.pointee.unit_count = 0
    }

    /// The number of ids of a piece, for which `ids` has room and for `UF_MORE_IDS` more; nil where it must be merged as a whole, by other means.
    func encode(_ piece: UnsafePointer<UInt8>, _ length: Int, readable: Int, _ cache: PieceCache, into ids: UnsafeMutablePointer<UInt32>) -> Int? {
        let count = uf_encode_parts(speller, cache.state, piece, length, readable, ids)
        return count == Int(bitPattern: UInt.max) ? nil : Int(count)
    }
}
