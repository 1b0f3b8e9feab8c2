#pragma once
#include "CTokenization.h"
#include <string.h>

#define ALWAYS static inline __attribute__((always_inline))

typedef uint64_t words8 __attribute__((ext_vector_type(8)));
typedef _Bool bits8 __attribute__((ext_vector_type(8)));

ALWAYS void piece_key(const uint8_t *piece, size_t length, size_t readable, uint64_t *low, uint64_t *high) {
    if (__builtin_expect(readable >= 16, 1)) {
        memcpy(low, piece, 8);
        memcpy(high, piece + 8, 8);
        // By a table: shifts by 64 and more are none.
        static const uint64_t low_masks[16] = {0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull};
        static const uint64_t high_masks[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF};
        *low &= low_masks[length];
        *high &= high_masks[length];
    } else {
        uint64_t words[2] = {0, 0};
        memcpy(words, piece, length);
        *low = words[0];
        *high = words[1];
    }
    *high |= (uint64_t)length << 56;
}

// For masks of up to 24 bits: the highest of a product are the best mixed.
ALWAYS size_t bucket_of(uint64_t low, uint64_t high, size_t mask) { return (low ^ high * 0x9E3779B97F4A7C15) * 0xFF51AFD7ED558CCD >> 40 & mask; }

// All places of a bucket at once.
ALWAYS const uint32_t *find_in(const uf_bucket *bucket, uint64_t low, uint64_t high) {
    words8 line, key = {low, low, low, high, high, high, 0, 0};
    memcpy(&line, bucket, sizeof line);
    unsigned equal = __builtin_bit_cast(uint8_t, __builtin_convertvector(line == key, bits8)), place = equal & equal >> UF_PLACES & 7;
    return place == 0 ? NULL : &bucket->ids[__builtin_ctz(place)];
}

ALWAYS const uint32_t *find(const uf_cache *cache, size_t at, uint64_t low, uint64_t high) {
    const uf_bucket *bucket = &cache->buckets[at];
    const uint32_t *id = find_in(bucket, low, high);
    if (__builtin_expect(id == NULL, 0) && bucket->overflows) id = find_in(&cache->buckets[at ^ 1], low, high);
    return id;
}

// The ids behind an id or place of a list, to `ids`; returns their number.
ALWAYS size_t copy_ids(const uf_cache *cache, uint32_t id, uint32_t *ids) {
    if (!(id & UF_IS_LIST)) {
        *ids = id;
        return 1;
    }
    const uint32_t *list = cache->lists + (id & ~UF_IS_LIST);
    uint32_t count = *list++;
    memcpy(ids, list, UF_COPIED_IDS * sizeof *list);
    for (uint32_t i = UF_COPIED_IDS; i < count; i++) ids[i] = list[i];
    return count;
}

// Into the first place that is free: what comes early comes often and keeps its place.
void cache_insert(uf_cache *cache, uint64_t low, uint64_t high, uint32_t id);
void cache_remember(uf_cache *cache, uint64_t low, uint64_t high, const uint32_t *ids, size_t count);
