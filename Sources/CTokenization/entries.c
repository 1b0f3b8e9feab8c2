#include "entries.h"

uint64_t uf_entry_hash(const uint8_t *piece, size_t length) {
    uint64_t low = 0, high = 0;
    if (length <= UF_LONGEST_CACHED_PIECE) {
        piece_key(piece, length, length, &low, &high);
        return entry_hash(low, high);
    }
    for (size_t at = 0; at + 8 < length; at += 8) {
        memcpy(&high, piece + at, 8);
        low = entry_hash(low, high);
    }
    // The last eight once more, in place of those that are left.
    memcpy(&high, piece + length - 8, 8);
    return entry_hash(low + length, high);
}

uint32_t uf_entry_find(const uf_entries *entries, const uint8_t *piece, size_t length) {
    return length > entries->longest ? UF_NO_ENTRY : find_entry(entries, uf_entry_hash(piece, length), piece, length);
}
