#include "CTokenization.h"
#include <string.h>

typedef uint8_t bytes64 __attribute__((ext_vector_type(64)));
typedef _Bool bits64 __attribute__((ext_vector_type(64)));

#define ALWAYS static inline __attribute__((always_inline))

ALWAYS void mark(uint64_t *bits, size_t at, unsigned length) {
    uint64_t ones = (1ull << length) - 1;
    unsigned shift = at & 63;
    bits[at >> 6] |= ones << shift;
    if (shift + length > 64) bits[(at >> 6) + 1] |= ones >> (64 - shift);
}

// Comparisons of 64 bytes at a time; characters of several bytes one by one.
#define CLASSIFY                                                                                                                              \
    size_t words = (count + 63) / 64;                                                                                                         \
    for (size_t word = 0; word < words; word++) {                                                                                             \
        bytes64 b;                                                                                                                            \
        if (64 * word + 64 <= count) {                                                                                                        \
            memcpy(&b, text + 64 * word, 64);                                                                                                 \
        } else {                                                                                                                              \
            b = (bytes64)(0);                                                                                                                 \
            memcpy(&b, text + 64 * word, count - 64 * word);                                                                                  \
        }                                                                                                                                     \
        bytes64 letter = (b | 0x20) - 'a', digit = b - '0', control = b - 9;                                                                  \
        classes.letters[word] = __builtin_bit_cast(uint64_t, __builtin_convertvector(letter < 26, bits64));                                   \
        classes.numbers[word] = __builtin_bit_cast(uint64_t, __builtin_convertvector(digit < 10, bits64));                                    \
        classes.spaces[word] = __builtin_bit_cast(uint64_t, __builtin_convertvector((control < 5) | (b == ' '), bits64));                     \
        classes.others[word] = __builtin_bit_cast(uint64_t, __builtin_convertvector(b >= 0xC0, bits64));                                      \
        classes.inner[word] = __builtin_bit_cast(uint64_t, __builtin_convertvector((b & 0xC0) == 0x80, bits64));                              \
        classes.blanks[word] = __builtin_bit_cast(uint64_t, __builtin_convertvector(b == ' ', bits64));                                       \
        classes.line_ends[word] = __builtin_bit_cast(uint64_t, __builtin_convertvector((b == '\n') | (b == '\r'), bits64));                   \
        classes.apostrophes[word] = __builtin_bit_cast(uint64_t, __builtin_convertvector(b == '\'', bits64));                                 \
    }                                                                                                                                         \
    for (size_t word = words; word < words + 2; word++)                                                                                       \
        classes.letters[word] = classes.numbers[word] = classes.spaces[word] = classes.others[word] = 0;                                      \
    finish(text, count, words, table, number, classes);

// `others` has the bytes that begin characters of several bytes, and gets what is neither letter nor number nor space.
ALWAYS void finish(const uint8_t *text, size_t count, size_t words, const uint8_t *table, uint8_t number, uf_classes classes) {
    for (size_t word = 0; word < words; word++) {
        for (uint64_t leads = classes.others[word]; leads != 0; leads &= leads - 1) {
            size_t at = 64 * word + (size_t)__builtin_ctzll(leads);
            uint32_t lead = text[at], point;
            unsigned length;
            if (lead < 0xE0) {
                length = 2;
                point = (lead & 0x1F) << 6 | (text[at + 1] & 0x3F);
            } else if (lead < 0xF0) {
                length = 3;
                point = (lead & 0x0F) << 12 | (uint32_t)(text[at + 1] & 0x3F) << 6 | (text[at + 2] & 0x3F);
            } else {
                length = 4;
                point = (lead & 0x07) << 18 | (uint32_t)(text[at + 1] & 0x3F) << 12 | (uint32_t)(text[at + 2] & 0x3F) << 6 | (text[at + 3] & 0x3F);
            }
            uint8_t class = table[point];
            if (class & 1) mark(classes.letters, at, length);
            if (class & number) mark(classes.numbers, at, length);
            if (class & 4) mark(classes.spaces, at, length);
        }
    }
    for (size_t word = 0; word < words; word++) classes.others[word] = ~(classes.letters[word] | classes.numbers[word] | classes.spaces[word]);
    if (count % 64 != 0) classes.others[words - 1] &= (1ull << count % 64) - 1;
}

static void classify_plain(const uint8_t *text, size_t count, const uint8_t *table, uint8_t number, uf_classes classes) { CLASSIFY }

#if defined(__x86_64__)
__attribute__((target("avx2,bmi"))) static void classify_avx2(const uint8_t *text, size_t count, const uint8_t *table, uint8_t number, uf_classes classes) { CLASSIFY }
__attribute__((target("avx512f,avx512bw,avx512vl,bmi"))) static void classify_avx512(const uint8_t *text, size_t count, const uint8_t *table, uint8_t number, uf_classes classes) {
    CLASSIFY
}
#endif

void uf_classify(const uint8_t *text, size_t count, const uint8_t *table, uint8_t number, uf_classes classes) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) return classify_avx512(text, count, table, number, classes);
    if (__builtin_cpu_supports("avx2")) return classify_avx2(text, count, table, number, classes);
#endif
    classify_plain(text, count, table, number, classes);
}
