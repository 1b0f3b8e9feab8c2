#include "CChecksums.h"

#if defined(__x86_64__)
#include <immintrin.h>

// FIPS 180-4, 4.2.2: the fractional parts of the cube roots of the first 64 primes.
static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74,
    0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d,
    0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
    0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
    0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

#define SHA __attribute__((target("sha,sse4.1,ssse3")))

// The instructions want the words A B E F in one register and C D G H in another, highest first.
static inline __attribute__((always_inline)) SHA void load_state(const uint32_t *state, __m128i *abef, __m128i *cdgh) {
    __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xB1), efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1B);
    *abef = _mm_alignr_epi8(abcd, efgh, 8);
    *cdgh = _mm_blend_epi16(efgh, abcd, 0xF0);
}

static inline __attribute__((always_inline)) SHA void store_state(uint32_t *state, __m128i abef, __m128i cdgh) {
    __m128i feba = _mm_shuffle_epi32(abef, 0x1B), dchg = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

// A round waits for the one before it: a second message fills the waits. `lanes` is a constant wherever this is called.
static inline __attribute__((always_inline)) SHA void feed(int lanes, uint32_t *const *states, const uint8_t *const *bytes, size_t blocks) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i abef[2], cdgh[2];
    for (int l = 0; l < lanes; l++) load_state(states[l], &abef[l], &cdgh[l]);
    for (size_t block = 0; block < blocks; block++) {
        __m128i words[2][4], abef_before[2], cdgh_before[2];
        for (int l = 0; l < lanes; l++) {
            abef_before[l] = abef[l];
            cdgh_before[l] = cdgh[l];
            for (int i = 0; i < 4; i++) words[l][i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bytes[l] + 64 * block + 16 * i)), big_endian);
        }
#pragma clang loop unroll(full)
        for (int round = 0; round < 16; round++) {
            for (int l = 0; l < lanes; l++) {
                __m128i *w = words[l], sum = _mm_add_epi32(w[round % 4], _mm_load_si128((const __m128i *)(constants + 4 * round)));
                cdgh[l] = _mm_sha256rnds2_epu32(cdgh[l], abef[l], sum);
                if (round < 12) {
                    // The four words of sixteen rounds later.
                    __m128i later = _mm_sha256msg1_epu32(w[round % 4], w[(round + 1) % 4]);
                    later = _mm_add_epi32(later, _mm_alignr_epi8(w[(round + 3) % 4], w[(round + 2) % 4], 4));
                    w[round % 4] = _mm_sha256msg2_epu32(later, w[(round + 3) % 4]);
                }
                abef[l] = _mm_sha256rnds2_epu32(abef[l], cdgh[l], _mm_shuffle_epi32(sum, 0x0E));
            }
        }
        for (int l = 0; l < lanes; l++) {
            abef[l] = _mm_add_epi32(abef[l], abef_before[l]);
            cdgh[l] = _mm_add_epi32(cdgh[l], cdgh_before[l]);
        }
    }
    for (int l = 0; l < lanes; l++) store_state(states[l], abef[l], cdgh[l]);
}

int uf_sha256_has_instructions(void) {
    return __builtin_cpu_supports("sha") && __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3");
}

SHA void uf_sha256_feed(uint32_t *state, const uint8_t *bytes, size_t blocks) { feed(1, &state, &bytes, blocks); }

static SHA void feed_two(uint32_t *const states[2], const uint8_t *const bytes[2], size_t blocks) { feed(2, states, bytes, blocks); }

#define WIDE __attribute__((target("avx512f,avx512bw")))
#define rotate _mm512_ror_epi32
#define xor3(a, b, c) _mm512_ternarylogic_epi32(a, b, c, 0x96)

// Register r of sixteen has row r of sixteen words; afterwards column r.
static inline __attribute__((always_inline)) WIDE void transpose(__m512i rows[16]) {
    __m512i quarters[16];
    for (int i = 0; i < 16; i += 4) {
        __m512i a = _mm512_unpacklo_epi32(rows[i], rows[i + 1]), b = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
        __m512i c = _mm512_unpacklo_epi32(rows[i + 2], rows[i + 3]), d = _mm512_unpackhi_epi32(rows[i + 2], rows[i + 3]);
        quarters[i] = _mm512_unpacklo_epi64(a, c);
        quarters[i + 1] = _mm512_unpackhi_epi64(a, c);
        quarters[i + 2] = _mm512_unpacklo_epi64(b, d);
        quarters[i + 3] = _mm512_unpackhi_epi64(b, d);
    }
    for (int i = 0; i < 4; i++) {
        __m512i a = _mm512_shuffle_i32x4(quarters[i], quarters[4 + i], 0x88), b = _mm512_shuffle_i32x4(quarters[i], quarters[4 + i], 0xDD);
        __m512i c = _mm512_shuffle_i32x4(quarters[8 + i], quarters[12 + i], 0x88), d = _mm512_shuffle_i32x4(quarters[8 + i], quarters[12 + i], 0xDD);
        rows[i] = _mm512_shuffle_i32x4(a, c, 0x88);
        rows[8 + i] = _mm512_shuffle_i32x4(a, c, 0xDD);
        rows[4 + i] = _mm512_shuffle_i32x4(b, d, 0x88);
        rows[12 + i] = _mm512_shuffle_i32x4(b, d, 0xDD);
    }
}

// A message in each of sixteen lanes, in plain arithmetic: on a Zen 5 1.7 times what two messages make by the instructions.
static WIDE void feed_sixteen(uint32_t *const states[16], const uint8_t *const bytes[16], size_t blocks) {
    const __m512i big_endian = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL));
    uint32_t lanes[8][16] __attribute__((aligned(64)));
    __m512i state[8];
    for (int i = 0; i < 8; i++) {
        for (int l = 0; l < 16; l++) lanes[i][l] = states[l][i];
        state[i] = _mm512_load_si512(lanes[i]);
    }
    for (size_t block = 0; block < blocks; block++) {
        __m512i w[16];
        for (int l = 0; l < 16; l++) w[l] = _mm512_loadu_si512(bytes[l] + 64 * block);
        transpose(w);
        for (int i = 0; i < 16; i++) w[i] = _mm512_shuffle_epi8(w[i], big_endian);
        __m512i a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
#pragma clang loop unroll(full)
        for (int t = 0; t < 64; t++) {
            if (t >= 16) {
                __m512i x = w[(t + 1) % 16], y = w[(t + 14) % 16];
                __m512i small0 = xor3(rotate(x, 7), rotate(x, 18), _mm512_srli_epi32(x, 3)), small1 = xor3(rotate(y, 17), rotate(y, 19), _mm512_srli_epi32(y, 10));
                w[t % 16] = _mm512_add_epi32(_mm512_add_epi32(w[t % 16], w[(t + 9) % 16]), _mm512_add_epi32(small0, small1));
            }
            __m512i choice = _mm512_ternarylogic_epi32(e, f, g, 0xCA), majority = _mm512_ternarylogic_epi32(a, b, c, 0xE8);
            __m512i big1 = xor3(rotate(e, 6), rotate(e, 11), rotate(e, 25)), big0 = xor3(rotate(a, 2), rotate(a, 13), rotate(a, 22));
            __m512i t1 = _mm512_add_epi32(_mm512_add_epi32(h, _mm512_add_epi32(w[t % 16], _mm512_set1_epi32((int)constants[t]))), _mm512_add_epi32(big1, choice));
            h = g;
            g = f;
            f = e;
            e = _mm512_add_epi32(d, t1);
            d = c;
            c = b;
            b = a;
            a = _mm512_add_epi32(t1, _mm512_add_epi32(big0, majority));
        }
        const __m512i after[8] = {a, b, c, d, e, f, g, h};
        for (int i = 0; i < 8; i++) state[i] = _mm512_add_epi32(state[i], after[i]);
    }
    for (int i = 0; i < 8; i++) {
        _mm512_store_si512(lanes[i], state[i]);
        for (int l = 0; l < 16; l++) states[l][i] = lanes[i][l];
    }
}

int uf_sha256_has_wide_registers(void) { return uf_sha256_has_instructions() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"); }
#else
int uf_sha256_has_instructions(void) { return 0; }
int uf_sha256_has_wide_registers(void) { return 0; }
void uf_sha256_feed(uint32_t *state, const uint8_t *bytes, size_t blocks) { __builtin_trap(); }
static void feed_two(uint32_t *const states[2], const uint8_t *const bytes[2], size_t blocks) { __builtin_trap(); }
static void feed_sixteen(uint32_t *const states[16], const uint8_t *const bytes[16], size_t blocks) { __builtin_trap(); }
#endif

// With fewer the lanes that have nothing to do cost more than those that have gain.
enum { LANES = 16, FEWEST = 10 };

void uf_sha256_feed_all(struct uf_sha256_message *messages, size_t count, size_t most) {
    struct uf_sha256_message *lanes[LANES];
    size_t active = 0, next = 0;
    for (;;) {
        for (; active < most && next < count; next++) {
            if (messages[next].blocks > 0) lanes[active++] = &messages[next];
        }
        if (active == 0) return;
        size_t together = most == LANES && active >= FEWEST ? active : active >= 2 && most >= 2 ? 2 : 1, blocks = lanes[0]->blocks;
        uint32_t *states[LANES], nobody[8] = {0};
        const uint8_t *bytes[LANES];
        for (size_t l = 0; l < together; l++) {
            states[l] = lanes[l]->state;
            bytes[l] = lanes[l]->bytes;
            if (lanes[l]->blocks < blocks) blocks = lanes[l]->blocks;
        }
        if (together > 2) {
            for (size_t l = together; l < LANES; l++) {
                states[l] = nobody;
                bytes[l] = bytes[0];
            }
            feed_sixteen(states, bytes, blocks);
        } else if (together == 2) {
            feed_two(states, bytes, blocks);
        } else {
            uf_sha256_feed(states[0], bytes[0], blocks);
        }
        for (size_t l = together; l-- > 0;) {
            lanes[l]->bytes += 64 * blocks;
            lanes[l]->blocks -= blocks;
            if (lanes[l]->blocks == 0) lanes[l] = lanes[--active];
        }
    }
}
