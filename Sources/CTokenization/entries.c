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

// So many are on their way from memory at once.
#define GROUP 16

void uf_entries_find(const uf_entries *entries, const uf_text *pieces, size_t count, uint32_t *ids) {
    uint64_t hashes[GROUP];
    for (size_t group; count > 0; count -= group, pieces += group, ids += group) {
        group = count < GROUP ? count : GROUP;
        for (size_t i = 0; i < group; i++) {
            hashes[i] = uf_entry_hash(pieces[i].bytes, pieces[i].length);
            __builtin_prefetch(&entries->slots[hashes[i] & entries->mask]);
        }
        for (size_t i = 0; i < group; i++) {
            uint32_t id = (uint32_t)entries->slots[hashes[i] & entries->mask];
            if (id != 0) __builtin_prefetch(&entries->offsets[id - 1]);
        }
        for (size_t i = 0; i < group; i++) {
            uint32_t id = (uint32_t)entries->slots[hashes[i] & entries->mask];
            if (id != 0) __builtin_prefetch(entries->bytes + entries->offsets[id - 1]);
        }
        for (size_t i = 0; i < group; i++) ids[i] = find_entry(entries, hashes[i], pieces[i].bytes, pieces[i].length);
    }
}

size_t uf_entries_fill(const uf_entries *entries, uint64_t *slots, size_t count, const uint8_t *findable) {
    size_t twice = count;
    uint64_t hashes[GROUP];
    for (size_t first = 0; first < count; first += GROUP) {
        size_t group = count - first < GROUP ? count - first : GROUP;
        for (size_t i = 0; i < group; i++) {
            size_t start = entries->offsets[first + i];
            hashes[i] = uf_entry_hash(entries->bytes + start, entries->offsets[first + i + 1] - start);
            __builtin_prefetch(&slots[hashes[i] & entries->mask]);
        }
        for (size_t i = 0; i < group; i++) {
            size_t id = first + i, start = entries->offsets[id];
            if (findable != NULL && !findable[id]) continue;
            if (find_entry(entries, hashes[i], entries->bytes + start, entries->offsets[id + 1] - start) != UF_NO_ENTRY) {
                if (twice == count) twice = id;
                continue;
            }
            size_t slot = hashes[i] & entries->mask;
            while (slots[slot] != 0) slot = (slot + 1) & entries->mask;
            slots[slot] = (hashes[i] & 0xFFFFFFFF00000000) | (id + 1);
        }
    }
    return twice;
}
