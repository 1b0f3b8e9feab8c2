#include "CTokenization.h"
#include <string.h>

#define ALWAYS static inline __attribute__((always_inline))

// Bit i of `bits` and the 63 after it.
ALWAYS uint64_t bits_at(const uint64_t *bits, size_t i) {
    unsigned shift = i & 63;
    return bits[i >> 6] >> shift | bits[(i >> 6) + 1] << 1 << (63 - shift);
}

ALWAYS int has(const uint64_t *bits, size_t i) { return bits[i >> 6] >> (i & 63) & 1; }

// The first position from `i` on whose bit is not set. The bits end with a 0.
ALWAYS size_t run_end(const uint64_t *bits, size_t i) {
    for (;;) {
        uint64_t missing = ~bits_at(bits, i);
        if (missing != 0) return i + (size_t)__builtin_ctzll(missing);
        i += 64;
    }
}

ALWAYS size_t next_character(const uint8_t *text, size_t i) {
    uint8_t lead = text[i];
    return i + 1 + (lead >= 0xC0) + (lead >= 0xE0) + (lead >= 0xF0);
}

ALWAYS size_t previous_character(const uint8_t *text, size_t i) {
    do { i--; } while ((text[i] & 0xC0) == 0x80);
    return i;
}

// The end of 's 't 'm 'd 're 've 'll at the apostrophe, or 0. Without regard to case "ſ" (U+017F) is an s.
ALWAYS size_t contraction_end(const uint8_t *text, size_t at, size_t count, int any_case) {
    if (at + 1 >= count) return 0;
    uint8_t fold = any_case ? 0x20 : 0, first = text[at + 1] | fold, second = at + 2 < count ? text[at + 2] : 0;
    switch (first) {
    case 's': case 't': case 'm': case 'd': return at + 2;
    case 'r': case 'v': return (second | fold) == 'e' ? at + 3 : 0;
    case 'l': return (second | fold) == 'l' ? at + 3 : 0;
    case 0xC5 | 0x20: return any_case && text[at + 1] == 0xC5 && second == 0xBF ? at + 3 : 0;
    default: return 0;
    }
}

// White space that a character which is none follows, or the text's end: all of it there, else without its last character where it has several.
ALWAYS size_t spaces_end(const uint8_t *text, size_t start, size_t end, int before_end) {
    if (before_end) return end;
    size_t last = previous_character(text, end);
    return last == start ? end : last;
}

ALWAYS size_t gpt2_end(const uf_cutter *c, size_t at, int isolates) {
    const uint8_t *text = c->text;
    uint8_t first = text[at];
    size_t next = at;
    if (first == ' ') {
        // A space goes with the letters, numbers or signs after it.
        next = at + 1;
        if (has(c->classes.letters, next)) return run_end(c->classes.letters, next);
    } else if (first == '\'') {
        size_t end = contraction_end(text, at, c->count, 0);
        if (end != 0) return end;
    }
    if (has(c->classes.letters, next)) return run_end(c->classes.letters, next);
    if (has(c->classes.numbers, next)) {
        if (!isolates) return run_end(c->classes.numbers, next);
        return next == at ? next_character(text, at) : next;
    }
    if (has(c->classes.others, next)) return run_end(c->classes.others, next);
    size_t end = run_end(c->classes.spaces, at);
    return spaces_end(text, at, end, end == c->count || (isolates && has(c->classes.numbers, end)));
}

// The end of a run of signs and of the line ends after it.
ALWAYS size_t signs_end(const uf_cutter *c, size_t at) {
    size_t end = run_end(c->classes.others, at);
    while (end < c->count && (c->text[end] == '\n' || c->text[end] == '\r')) end++;
    return end;
}

ALWAYS size_t llama3_end(const uf_cutter *c, size_t at, int most_numbers) {
    const uint8_t *text = c->text;
    uint8_t first = text[at];
    if (first == ' ') {
        if (has(c->classes.letters, at + 1)) return run_end(c->classes.letters, at + 1);
        if (has(c->classes.others, at + 1)) return signs_end(c, at + 1);
    } else {
        if (has(c->classes.letters, at)) return run_end(c->classes.letters, at);
        if (has(c->classes.numbers, at)) {
            size_t end = next_character(text, at);
            for (int n = 1; n < most_numbers && has(c->classes.numbers, end); n++) end = next_character(text, end);
            return end;
        }
        if (first == '\'') {
            size_t end = contraction_end(text, at, c->count, 1);
            if (end != 0) return end;
        }
        if (first != '\n' && first != '\r') {
            // Any one character that is neither letter nor number goes with the letters after it.
            size_t next = next_character(text, at);
            if (has(c->classes.letters, next)) return run_end(c->classes.letters, next);
        }
        if (has(c->classes.others, at)) return signs_end(c, at);
    }
    size_t end = run_end(c->classes.spaces, at);
    // White space ends after its last line end, where it has one.
    for (size_t i = end; i > at; i--)
        if (text[i - 1] == '\n' || text[i - 1] == '\r') return i;
    return spaces_end(text, at, end, end == c->count);
}

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
    const uf_piece *entry = &cache[slot];
    if (entry->low != low || (entry->high & KEY_BITS) != high) entry = &cache[slot ^ 1];
    return entry->low == low && (entry->high & KEY_BITS) == high ? entry : NULL;
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

ALWAYS size_t piece_end(const uf_cutter *c, size_t at, uf_pattern pattern) {
    switch (pattern) {
    case UF_GPT2: return gpt2_end(c, at, 0);
    case UF_GPT2_ISOLATING: return gpt2_end(c, at, 1);
    case UF_LLAMA3: return llama3_end(c, at, 3);
    case UF_QWEN2: return llama3_end(c, at, 1);
    }
}

// Cuts the next pieces and asks for their entries.
ALWAYS void fill_batch(uf_cutter *c, uf_pattern pattern) {
    size_t at = c->position;
    unsigned count = 0;
    while (count < UF_BATCH && at < c->count) {
        size_t end = piece_end(c, at, pattern), length = end - at;
        // What follows decides where some pieces end: up to three bytes of a contraction, or one character behind white space.
        if (__builtin_expect(end + 4 > c->count, 0) && !c->ends_text) break;
        if (length <= UF_LONGEST_CACHED_PIECE) {
            piece_key(c->text + at, length, c->readable - at, &c->batch[count].low, &c->batch[count].high);
            c->batch[count].slot = slot_of(c->batch[count].low, c->batch[count].high, c->cache_mask);
            __builtin_prefetch(&c->cache[c->batch[count].slot]);
        }
        c->batch[count++].end = at = end;
    }
    c->batched = count;
    c->next = 0;
}

ALWAYS int cut(uf_cutter *c, uf_pattern pattern) {
    for (;;) {
        while (c->next < c->batched) {
            size_t end = c->batch[c->next].end;
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
        fill_batch(c, pattern);
        if (c->batched == 0) return 0;
    }
}

int uf_cut(uf_cutter *c, uf_pattern pattern) {
    switch (pattern) {
    case UF_GPT2: return cut(c, UF_GPT2);
    case UF_GPT2_ISOLATING: return cut(c, UF_GPT2_ISOLATING);
    case UF_LLAMA3: return cut(c, UF_LLAMA3);
    case UF_QWEN2: return cut(c, UF_QWEN2);
    }
}
