#include "entries.h"

// In place of an id; no list lies there.
#define NOT_FOUND UINT32_MAX

void uf_begin(uf_cutter *c, uf_pattern pattern, const uint8_t *table, uint8_t number) {
    uf_classify(c->text, c->count, table, number, c->classes);
    uf_piece_starts(c->text, c->count, c->ends_text, pattern, c->classes);
    c->word = c->position = c->id_count = c->batched = c->next = 0;
    c->special = 0;
    // The first piece starts at 0; what is looked for are ends.
    c->starts = c->classes.starts[0] & ~1ull;
}

// The ends of the next pieces, a word's at a time: eight are written at once, of which those beyond the word's are written over.
ALWAYS unsigned next_ends(uf_cutter *c, uint32_t *ends) {
    size_t words = c->count / 64 + 1;
    // An end that is nearer to the window's may be none (see `uf_piece_starts`).
    size_t limit = c->ends_text ? c->count : c->count < 4 ? 0 : c->count - 4;
    unsigned count = 0;
    for (;;) {
        uint64_t bits = c->starts;
        unsigned more = (unsigned)__builtin_popcountll(bits);
        uint32_t base = (uint32_t)(64 * c->word);
        for (unsigned done = 0; done < more; done += 8) {
            for (int i = 0; i < 8; i++) {
                ends[count + done + i] = base + (uint32_t)__builtin_ctzll(bits | 1ull << 63);
                bits &= bits - 1;
            }
        }
        count += more;
        if (++c->word >= words) {
            c->word = words;
            c->starts = 0;
            break;
        }
        c->starts = c->classes.starts[c->word];
        if (count + (unsigned)__builtin_popcountll(c->starts) > UF_BATCH) break;
    }
    while (count > 0 && ends[count - 1] > limit) count--;
    return count;
}

// Cuts the next pieces, asks for the buckets of all of them, and then looks them up, without a branch on how many ids they have: `special` tells of it later.
ALWAYS void fill_batch(uf_cutter *c) {
    const uint8_t *text = c->text;
    const uf_cache cache = *c->cache;
    uf_batch *batch = &c->batch;
    unsigned count = next_ends(c, batch->ends);
    size_t at = c->position;
    for (unsigned i = 0; i < count; i++) {
        size_t length = batch->ends[i] - at;
        // No piece that is kept has such a key.
        uint64_t low = 0, high = UINT64_MAX;
        if (length <= UF_LONGEST_CACHED_PIECE) piece_key(text + at, length, c->readable - at, &low, &high);
        batch->low[i] = low;
        batch->high[i] = high;
        batch->buckets[i] = (uint32_t)bucket_of(low, high, cache.mask);
        __builtin_prefetch(&cache.buckets[batch->buckets[i]]);
        at = batch->ends[i];
    }
    uint64_t special = 0;
    for (unsigned i = 0; i < count; i++) {
        const uint32_t *found = find_in(&cache.buckets[batch->buckets[i]], batch->low[i], batch->high[i]);
        uint32_t id = found == NULL ? NOT_FOUND : *found;
        batch->ids[i] = id;
        special |= (uint64_t)(id >> 31) << i;
    }
    const uf_entries *entries = c->speller == NULL ? NULL : c->speller->entries;
    for (uint64_t bits = special; bits != 0; bits &= bits - 1) {
        size_t i = (size_t)__builtin_ctzll(bits);
        if (batch->ids[i] != NOT_FOUND) {
            __builtin_prefetch(&cache.lists[batch->ids[i] & ~UF_IS_LIST]);
        } else if (entries != NULL) {
            __builtin_prefetch(&entries->slots[entry_hash(batch->low[i], batch->high[i]) & entries->mask]);
        }
    }
    c->special = special;
    c->batched = count;
    c->next = 0;
}

// The ids of a short piece that is new, which is remembered; 0 where they are left to the caller.
__attribute__((noinline)) static size_t encode_new(uf_speller *speller, uf_cache *cache, const uint8_t *piece, size_t length, size_t readable, uint64_t low, uint64_t high, uint32_t *ids) {
    if (speller->entries != NULL) {
        uint32_t id = find_entry(speller->entries, entry_hash(low, high), piece, length);
        if (id != UF_NO_ENTRY) {
            cache_insert(cache, low, high, id);
            *ids = id;
            return 1;
        }
    }
    size_t count = length;
    if (((low | high) & 0x8080808080808080) == 0) {
        for (size_t i = 0; i < length; i++) {
            ids[i] = speller->byte_ids[piece[i]];
            if (ids[i] == UF_NO_MERGE) return 0;
        }
        if (length > 1) count = uf_merge_symbols(&speller->merges, ids, length);
    } else {
        count = uf_encode_parts(speller, cache, piece, length, readable, ids);
        if (count == SIZE_MAX) return 0;
    }
    cache_remember(cache, low, high, ids, count);
    return count;
}

ALWAYS int cut(uf_cutter *c) {
    const uf_batch *batch = &c->batch;
    for (;;) {
        unsigned next = c->next, batched = c->batched;
        uint64_t special = c->special;
        size_t id_count = c->id_count;
        while (next < batched) {
            // Pieces of one id up to the next that is none: sixteen are written at once, of which those beyond are written over.
            unsigned end = special == 0 ? batched : (unsigned)__builtin_ctzll(special);
            for (unsigned i = next; i < end; i += 16) memcpy(c->ids + id_count + (i - next), batch->ids + i, 16 * sizeof *c->ids);
            id_count += end - next;
            next = end;
            if (next == batched) break;
            uint32_t id = batch->ids[next];
            if (id == NOT_FOUND) {
                uint64_t low = batch->low[next], high = batch->high[next];
                int is_short = high != UINT64_MAX;
                // It may have come in since, or stand in the neighbour.
                const uint32_t *found = is_short ? find(c->cache, batch->buckets[next], low, high) : NULL;
                if (found == NULL) {
                    size_t start = next == 0 ? c->position : batch->ends[next - 1], end = batch->ends[next], count = 0;
                    if (is_short && c->speller != NULL) count = encode_new(c->speller, c->cache, c->text + start, end - start, c->readable - start, low, high, c->ids + id_count);
                    special &= special - 1;
                    next++;
                    id_count += count;
                    if (count > 0) continue;
                    c->position = start;
                    c->piece_end = end;
                    c->next = next;
                    c->special = special;
                    c->id_count = id_count;
                    return 1;
                }
                id = *found;
            }
            id_count += copy_ids(c->cache, id, c->ids + id_count);
            special &= special - 1;
            next++;
        }
        c->id_count = id_count;
        if (batched > 0) c->position = batch->ends[batched - 1];
        fill_batch(c);
        if (c->batched == 0) return 0;
    }
}

static int cut_plain(uf_cutter *c) { return cut(c); }

#if defined(__x86_64__)
__attribute__((target("avx2,bmi,popcnt"))) static int cut_avx2(uf_cutter *c) { return cut(c); }
__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,bmi,popcnt"))) static int cut_avx512(uf_cutter *c) { return cut(c); }
#endif

int uf_cut(uf_cutter *c) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) return cut_avx512(c);
    if (__builtin_cpu_supports("avx2")) return cut_avx2(c);
#endif
    return cut_plain(c);
}
