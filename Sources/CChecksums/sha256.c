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

SHA void uf_sha256_feed_two(uint32_t *const states[2], const uint8_t *const bytes[2], size_t blocks) { feed(2, states, bytes, blocks); }
#else
int uf_sha256_has_instructions(void) { return 0; }
void uf_sha256_feed(uint32_t *state, const uint8_t *bytes, size_t blocks) { __builtin_trap(); }
void uf_sha256_feed_two(uint32_t *const states[2], const uint8_t *const bytes[2], size_t blocks) { __builtin_trap(); }
#endif

// FIPS 180-4, 5.3.3: the fractional parts of the square roots of the first 8 primes.
static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

void uf_sha256_messages(const uint8_t *bytes, const size_t *blocks, size_t count, uint32_t *states) {
    uint32_t *lane_states[2];
    const uint8_t *lane_bytes[2];
    size_t left[2] = {0, 0}, next = 0;
    for (;;) {
        for (int l = 0; l < 2; l++) {
            while (left[l] == 0 && next < count) {
                lane_states[l] = states + 8 * next;
                for (int i = 0; i < 8; i++) lane_states[l][i] = start[i];
                lane_bytes[l] = bytes;
                left[l] = blocks[next];
                bytes += 64 * blocks[next++];
            }
        }
        if (left[0] == 0 && left[1] == 0) return;
        if (left[0] > 0 && left[1] > 0) {
            size_t both = left[0] < left[1] ? left[0] : left[1];
            uf_sha256_feed_two(lane_states, lane_bytes, both);
            for (int l = 0; l < 2; l++) {
                lane_bytes[l] += 64 * both;
                left[l] -= both;
            }
        } else {
            int l = left[0] > 0 ? 0 : 1;
            uf_sha256_feed(lane_states[l], lane_bytes[l], left[l]);
            left[l] = 0;
        }
    }
}
