#include "CTokenization.h"

#define ALWAYS static inline __attribute__((always_inline))

ALWAYS uint32_t rank_of(const uf_merges *merges, uint32_t left, uint32_t right, uint32_t *joined) {
    if ((left | right) < UF_FREQUENT) {
        const uf_joining *joining = &merges->frequent[left * UF_FREQUENT + right];
        *joined = joining->joined;
        return joining->rank;
    }
    uint64_t pair = (uint64_t)left << 32 | right, hash = pair * UF_PAIR_MULTIPLIER, bit = hash >> merges->filter_shift;
    if (!(merges->filter[bit >> 6] >> (bit & 63) & 1)) return UF_NO_MERGE;
    for (size_t slot = hash >> merges->shift;; slot = (slot + 1) & merges->mask) {
        const uf_merge *entry = &merges->entries[slot];
        if (entry->pair == pair) {
            *joined = entry->joined;
            return entry->rank;
        }
        if (entry->pair == UINT64_MAX) return UF_NO_MERGE;
    }
}

uint32_t uf_merge_rank(const uf_merges *merges, uint32_t left, uint32_t right, uint32_t *joined) {
    *joined = UF_NO_MERGE;
    return rank_of(merges, left, right, joined);
}

ALWAYS uint32_t least_of(const uint32_t *keys, size_t count) {
    uint32_t least = UINT32_MAX;
    // Most pieces: without a loop.
    if (count == 16) {
        for (size_t i = 0; i < 16; i++) least = keys[i] < least ? keys[i] : least;
    } else {
        for (size_t i = 0; i < count; i++) least = keys[i] < least ? keys[i] : least;
    }
    return least;
}

// A key is rank << 8 | position, so the least is the pair that joins next. Scanning for it beats a heap: a processor compares sixteen at a time.
ALWAYS size_t merge(const uf_merges *merges, uint32_t *symbols, size_t count) {
    _Alignas(64) uint32_t keys[UF_MOST_SCANNED];
    uint32_t joined[UF_MOST_SCANNED];
    uint16_t next[UF_MOST_SCANNED], previous[UF_MOST_SCANNED];
    size_t padded = (count + 15) / 16 * 16;
    for (size_t i = 0; i < padded; i++) keys[i] = UINT32_MAX;
#define SET_KEY(left, right)                                                                     \
    do {                                                                                         \
        uint32_t rank = rank_of(merges, symbols[left], symbols[right], &joined[left]);           \
        keys[left] = rank == UF_NO_MERGE ? UINT32_MAX : rank << 8 | (uint32_t)(left);            \
    } while (0)
    for (size_t i = 0; i < count; i++) {
        next[i] = (uint16_t)(i + 1);
        previous[i] = (uint16_t)(i - 1);
        if (i + 1 < count) SET_KEY(i, i + 1);
    }
    size_t left = count;
    for (;;) {
        uint32_t least = least_of(keys, padded);
        if (least == UINT32_MAX) break;
        size_t at = least & 0xFF, gone = next[at], after = next[gone];
        symbols[at] = joined[at];
        keys[gone] = keys[at] = UINT32_MAX;
        next[at] = (uint16_t)after;
        left--;
        if (after < count) {
            previous[after] = (uint16_t)at;
            SET_KEY(at, after);
        }
        if (at > 0) {
            size_t before = previous[at];
            SET_KEY(before, at);
        }
    }
    for (size_t i = 0, at = 0; i < left; i++, at = next[at]) symbols[i] = symbols[at];
    return left;
}

static size_t merge_plain(const uf_merges *merges, uint32_t *symbols, size_t count) { return merge(merges, symbols, count); }

#if defined(__x86_64__)
__attribute__((target("avx2,bmi"))) static size_t merge_avx2(const uf_merges *merges, uint32_t *symbols, size_t count) { return merge(merges, symbols, count); }
__attribute__((target("avx512f,avx512bw,avx512vl,bmi,prefer-256-bit"))) static size_t merge_avx512(const uf_merges *merges, uint32_t *symbols, size_t count) {
    return merge(merges, symbols, count);
}
#endif

size_t uf_merge_symbols(const uf_merges *merges, uint32_t *symbols, size_t count) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) return merge_avx512(merges, symbols, count);
    if (__builtin_cpu_supports("avx2")) return merge_avx2(merges, symbols, count);
#endif
    return merge_plain(merges, symbols, count);
}
