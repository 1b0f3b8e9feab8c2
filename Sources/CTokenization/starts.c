#include "CTokenization.h"

// Where pieces start, 64 bytes at a time. A piece starts almost everywhere that the class of characters changes; what the patterns do beside that is done on masks, and for the
// rare cases (contractions, line ends, long numbers) one by one afterwards. Nothing looks back beyond the window: no pattern does, and windows start with a piece.

#define ALWAYS static inline __attribute__((always_inline))

ALWAYS int has(const uint64_t *bits, size_t i) { return bits[i >> 6] >> (i & 63) & 1; }
ALWAYS void set(uint64_t *bits, size_t i) { bits[i >> 6] |= 1ull << (i & 63); }

ALWAYS void clear_range(uint64_t *bits, size_t start, size_t end) {
    for (size_t word = start >> 6; word <= end >> 6; word++) {
        uint64_t keep = 0;
        if (word == start >> 6) keep |= (1ull << (start & 63)) - 1;
        if (word == end >> 6) keep |= ~0ull << (end & 63);
        bits[word] &= keep;
    }
}

// Bit i + 1 becomes bit i; bit i - 1 becomes bit i.
ALWAYS uint64_t before(uint64_t bits, uint64_t next) { return bits >> 1 | next << 63; }
ALWAYS uint64_t after(uint64_t bits, uint64_t *carry) {
    uint64_t shifted = bits << 1 | *carry;
    *carry = bits >> 63;
    return shifted;
}

ALWAYS uint64_t first_of_runs(uint64_t bits, uint64_t *carry) { return bits & ~after(bits, carry); }

ALWAYS size_t run_end(const uint64_t *bits, size_t i) {
    for (;;) {
        uint64_t missing = ~bits[i >> 6] >> (i & 63);
        if (missing != 0) return i + (size_t)__builtin_ctzll(missing);
        i = (i | 63) + 1;
    }
}

ALWAYS size_t previous_character(const uint8_t *text, size_t i) {
    do { i--; } while ((text[i] & 0xC0) == 0x80);
    return i;
}

ALWAYS size_t next_character(const uint8_t *text, size_t i) {
    uint8_t lead = text[i];
    return i + 1 + (lead >= 0xC0) + (lead >= 0xE0) + (lead >= 0xF0);
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

// A contraction is a piece where a piece starts with its apostrophe.
ALWAYS void cut_contractions(const uint8_t *text, size_t count, const uf_classes *c, int any_case) {
    for (size_t word = 0; word < (count + 63) / 64; word++) {
        for (uint64_t marks = c->apostrophes[word] & c->starts[word]; marks != 0; marks &= marks - 1) {
            size_t at = 64 * word + (size_t)__builtin_ctzll(marks), end = contraction_end(text, at, count, any_case);
            if (end == 0) continue;
            clear_range(c->starts, at + 1, end);
            set(c->starts, end);
        }
    }
}

// White space before a character that is none: its last character stands by itself, or goes with what follows. `ends`: the last bytes of such runs in a word.
ALWAYS uint64_t last_of_runs(const uint8_t *text, size_t word, uint64_t ends, uint64_t inner, uint64_t *starts) {
    for (uint64_t odd = ends & inner; odd != 0; odd &= odd - 1) set(starts, previous_character(text, 64 * word + (size_t)__builtin_ctzll(odd) + 1));
    return ends & ~inner;
}

ALWAYS void gpt2_starts(const uint8_t *text, size_t count, int ends_text, const uf_classes *c, int isolates) {
    size_t words = (count + 63) / 64;
    uint64_t letter = 0, number = 0, space = 0, other = 0, blank = 0;
    uint64_t end_bit = ends_text ? 1ull << (count & 63) : 0;
    for (size_t word = 0; word <= words; word++) c->starts[word] = 0;
    for (size_t word = 0; word < words; word++) {
        uint64_t numbers = c->numbers[word], spaces = c->spaces[word], inner = c->inner[word];
        // A space goes with the letters, numbers or signs after it; not with a number that is isolated.
        uint64_t starts = first_of_runs(c->letters[word], &letter) | first_of_runs(c->others[word], &other);
        uint64_t number_starts = first_of_runs(numbers, &number);
        if (!isolates) starts |= number_starts;
        starts &= ~after(c->blanks[word], &blank);
        if (isolates) starts |= numbers & ~inner;
        starts |= first_of_runs(spaces, &space);
        // White space goes on to the end of a text, and of the text before an isolated number.
        uint64_t follows = spaces | (isolates ? numbers : 0) | (word == count >> 6 ? end_bit : 0);
        uint64_t next = c->spaces[word + 1] | (isolates ? c->numbers[word + 1] : 0) | (word + 1 == count >> 6 ? end_bit : 0);
        starts |= last_of_runs(text, word, spaces & ~before(follows, next), inner, c->starts);
        c->starts[word] |= starts;
    }
    cut_contractions(text, count, c, 0);
}

// Of a run of white space with line ends: those behind signs belong to them; the rest up to the last line end is a piece; what follows is as without line ends. `at`: some byte of it.
static void cut_run(const uint8_t *text, size_t count, int ends_text, const uf_classes *c, size_t at) {
    size_t start = at, end = run_end(c->spaces, at);
    while (start > 0 && has(c->spaces, start - 1)) start--;
    clear_range(c->starts, start, end);
    if (start > 0 && has(c->others, start - 1)) start = run_end(c->line_ends, start);
    if (start == end) return;
    set(c->starts, start);
    // Line ends behind the window would be of the same piece.
    if (end == count && !ends_text) return;
    size_t rest = end;
    while (rest > start && !has(c->line_ends, rest - 1)) rest--;
    if (rest == end) return;
    set(c->starts, rest);
    if (end < count) set(c->starts, previous_character(text, end));
}

// Runs in which line ends come first are cut on masks. One by one those that have other white space before a line end, and one that the window ends in.
ALWAYS void cut_lines(const uint8_t *text, size_t count, int ends_text, const uf_classes *c) {
    uint64_t space = 0, other = 0, line_end = 0;
    size_t words = (count + 63) / 64;
    for (size_t word = 0; word < words; word++) {
        uint64_t line_ends = c->line_ends[word], spaces = c->spaces[word];
        uint64_t first = line_ends & ~after(spaces, &space), behind = after(line_ends, &line_end) & spaces & ~line_ends;
        c->starts[word] = (c->starts[word] & ~(first & after(c->others[word], &other))) | behind;
    }
    size_t done = 0;
    for (size_t word = 0; word < words; word++) {
        for (uint64_t odd = c->spaces[word] & ~c->line_ends[word] & before(c->line_ends[word], c->line_ends[word + 1]); odd != 0; odd &= odd - 1) {
            size_t at = 64 * word + (size_t)__builtin_ctzll(odd);
            if (at < done) continue;
            done = run_end(c->spaces, at);
            cut_run(text, count, ends_text, c, at);
        }
    }
    if (ends_text || count == 0 || !has(c->spaces, count - 1)) return;
    for (size_t at = count; at > 0 && has(c->spaces, at - 1); at--) {
        if (!has(c->line_ends, at - 1)) continue;
        cut_run(text, count, ends_text, c, at - 1);
        return;
    }
}

ALWAYS void llama3_starts(const uint8_t *text, size_t count, int ends_text, const uf_classes *c, int most_numbers) {
    size_t words = (count + 63) / 64;
    uint64_t letter = 0, number = 0, space = 0, other = 0, blank = 0, join = 0, sign = 0, character = 0;
    uint64_t end_bit = ends_text ? 1ull << (count & 63) : 0, lines = 0;
    for (size_t word = 0; word <= words; word++) c->starts[word] = 0;
    for (size_t word = 0; word < words; word++) {
        uint64_t numbers = c->numbers[word], spaces = c->spaces[word], inner = c->inner[word], line_ends = c->line_ends[word];
        // A space goes with the signs after it.
        uint64_t signs = first_of_runs(c->others[word], &other) & ~after(c->blanks[word], &blank);
        // Any one character that is neither letter nor number nor line end goes with the letters after it, if a piece starts with it: a sign that no space goes with, if no other
        // follows. The addition carries a bit behind each first sign over the inner bytes of the character.
        unsigned long long carried;
        uint64_t behind = __builtin_addcll(after(signs, &sign), inner, character, &carried) & ~inner;
        character = carried;
        uint64_t letters = first_of_runs(c->letters[word], &letter) & ~behind & ~after(spaces & ~line_ends, &join);
        uint64_t starts = signs | letters | first_of_runs(spaces, &space);
        uint64_t number_starts = first_of_runs(numbers, &number);
        starts |= most_numbers == 1 ? numbers & ~inner : number_starts;
        if (most_numbers > 1) {
            uint64_t next = c->numbers[word + 1], second = before(numbers, next), third = numbers >> 2 | next << 62, fourth = numbers >> 3 | next << 61;
            for (uint64_t runs = number_starts & second & third & fourth; runs != 0; runs &= runs - 1) {
                size_t at = 64 * word + (size_t)__builtin_ctzll(runs);
                for (int n = 0; has(c->numbers, at); n++, at = next_character(text, at))
                    if (n % most_numbers == 0) set(c->starts, at);
            }
        }
        uint64_t follows = spaces | (word == count >> 6 ? end_bit : 0), next = c->spaces[word + 1] | (word + 1 == count >> 6 ? end_bit : 0);
        starts |= last_of_runs(text, word, spaces & ~line_ends & ~before(follows, next), inner, c->starts);
        c->starts[word] |= starts;
        lines |= line_ends;
    }
    if (lines != 0) cut_lines(text, count, ends_text, c);
    cut_contractions(text, count, c, 1);
}

void uf_piece_starts(const uint8_t *text, size_t count, int ends_text, uf_pattern pattern, uf_classes classes) {
    switch (pattern) {
    case UF_GPT2: gpt2_starts(text, count, ends_text, &classes, 0); break;
    case UF_GPT2_ISOLATING: gpt2_starts(text, count, ends_text, &classes, 1); break;
    case UF_LLAMA3: llama3_starts(text, count, ends_text, &classes, 3); break;
    case UF_QWEN2: llama3_starts(text, count, ends_text, &classes, 1); break;
    }
    // The end of a text ends its last piece; a window is no end.
    if (ends_text) set(classes.starts, count);
}
