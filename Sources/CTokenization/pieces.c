#include "CTokenization.h"
#include <string.h>

#define ALWAYS static inline __attribute__((always_inline))

ALWAYS void piece_key(const uint8_t *piece, size_t length, size_t readable, uint64_t *low, uint64_t *high) {
    uint64_t words[2] = {0, 0};
    if (__builtin_expect(readable >= 16, 1)) {
        memcpy(words, piece, 16);
        // By a table: shifts by 64 and more are none.
        static const uint64_t low_masks[16] = {0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull};
        static const uint64_t high_masks[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF};
        words[0] &= low_masks[length];
        words[1] &= high_masks[length];
    } else {
        memcpy(words, piece, length);
    }
    *low = words[0];
    *high = words[1] | (uint64_t)length << 56;
}

ALWAYS size_t slot_of(uint64_t low, uint64_t high, size_t mask) {
    uint64_t hash = (low ^ high * 0x9E3779B97F4A7C15) * 0xFF51AFD7ED558CCD;
    return (hash ^ hash >> 32) & mask;
}

#define KEY_BITS 0x0FFFFFFFFFFFFFFF

ALWAYS const uf_piece *find(const uf_piece *cache, size_t slot, uint64_t low, uint64_t high) {
    for (size_t place = 0; place < UF_PLACES; place++) {
        const uf_piece *entry = &cache[slot ^ place];
        if (entry->low == low && (entry->high & KEY_BITS) == high) return entry;
    }
    return NULL;
}

uf_piece uf_piece_make(const uint8_t *piece, size_t length, size_t readable, const uint32_t *ids, size_t count) {
    uf_piece made = {0};
    piece_key(piece, length, readable, &made.low, &made.high);
    made.high |= (uint64_t)count << 60;
    memcpy(made.ids, ids, count * sizeof *ids);
    return made;
}

size_t uf_piece_slot(const uf_piece *piece, size_t mask) { return slot_of(piece->low, piece->high & KEY_BITS, mask); }

const uf_piece *uf_piece_find(const uf_piece *cache, size_t mask, const uint8_t *piece, size_t length, size_t readable) {
    uint64_t low, high;
    piece_key(piece, length, readable, &low, &high);
    return find(cache, slot_of(low, high, mask), low, high);
}

void uf_begin(uf_cutter *c, uf_pattern pattern, const uint8_t *table, uint8_t number) {
    uf_classify(c->text, c->count, table, number, c->classes);
    uf_piece_starts(c->text, c->count, c->ends_text, pattern, c->classes);
    c->word = c->position = c->id_count = c->batched = c->next = 0;
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

// Cuts the next pieces and asks for their entries.
ALWAYS void fill_batch(uf_cutter *c) {
    unsigned count = next_ends(c, c->ends);
    size_t at = c->position;
    for (unsigned i = 0; i < count; i++) {
        size_t length = c->ends[i] - at;
        if (length <= UF_LONGEST_CACHED_PIECE) {
            piece_key(c->text + at, length, c->readable - at, &c->batch[i].low, &c->batch[i].high);
            c->batch[i].slot = slot_of(c->batch[i].low, c->batch[i].high, c->cache_mask);
            __builtin_prefetch(&c->cache[c->batch[i].slot]);
        }
        at = c->ends[i];
    }
    c->batched = count;
    c->next = 0;
}

int uf_cut(uf_cutter *c) {
    for (;;) {
        while (c->next < c->batched) {
            size_t end = c->ends[c->next];
            const uf_piece *entry = NULL;
            if (end - c->position <= UF_LONGEST_CACHED_PIECE) entry = find(c->cache, c->batch[c->next].slot, c->batch[c->next].low, c->batch[c->next].high);
            c->next++;
            if (entry == NULL || entry->high >> 60 == 0) {
                c->piece_end = end;
                return 1;
            }
            memcpy(c->ids + c->id_count, entry->ids, sizeof entry->ids);
            c->id_count += entry->high >> 60;
            c->position = end;
        }
        fill_batch(c);
        if (c->batched == 0) return 0;
    }
}
