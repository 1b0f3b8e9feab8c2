#pragma once
#include "cache.h"

// Of the key of a piece of up to 15 bytes, and of longer ones by what their bytes come to.
ALWAYS uint64_t entry_hash(uint64_t low, uint64_t high) {
    uint64_t hash = (low ^ high * 0xFF51AFD7ED558CCD) * 0x9E3779B97F4A7C15;
    return hash ^ hash >> 29;
}

ALWAYS uint32_t find_entry(const uf_entries *entries, uint64_t hash, const uint8_t *piece, size_t length) {
    for (size_t slot = hash & entries->mask;; slot = (slot + 1) & entries->mask) {
        uint64_t found = entries->slots[slot];
        if (found == 0) return UF_NO_ENTRY;
        if ((found ^ hash) >> 32 != 0) continue;
        size_t id = (uint32_t)found - 1, start = entries->offsets[id];
        if (entries->offsets[id + 1] - start == length && memcmp(entries->bytes + start, piece, length) == 0) return (uint32_t)id;
    }
}
