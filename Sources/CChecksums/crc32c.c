#include "CChecksums.h"
#include <pthread.h>
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

// The polynomial 0x1EDC6F41 with its bits reversed: CRC-32C shifts right.
#define POLYNOMIAL 0x82F63B78u

static uint32_t table[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

// Three streams of LANE bytes are summed side by side, because the crc32 instruction takes three cycles but one can start each cycle.
#define LANE 1024
// shift[k][b]: what byte b at position k of a checksum becomes after LANE zero bytes.
static uint32_t shift[4][256];

static uint32_t feed_zeros(uint32_t crc, size_t count) {
    while (count-- > 0) crc = table[crc & 0xff] ^ (crc >> 8);
    return crc;
}

static void make_tables(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
        table[byte] = crc;
    }
    // The checksum of a sum is the sum of the checksums: bytes of one bit say it all.
    for (int position = 0; position < 4; position++)
        for (uint32_t byte = 1; byte < 256; byte++) {
            uint32_t lowest = byte & -byte;
            shift[position][byte] = byte == lowest ? feed_zeros(byte << (8 * position), LANE) : shift[position][lowest] ^ shift[position][byte ^ lowest];
        }
}

uint32_t uf_crc32c_table(uint32_t crc, const void *bytes, size_t count) {
    pthread_once(&once, make_tables);
    const uint8_t *p = bytes;
    crc = ~crc;
    for (size_t i = 0; i < count; i++) crc = table[(crc ^ p[i]) & 0xff] ^ (crc >> 8);
    return ~crc;
}

#if defined(__x86_64__)
static uint32_t past_lane(uint32_t crc) {
    return shift[0][crc & 0xff] ^ shift[1][(crc >> 8) & 0xff] ^ shift[2][(crc >> 16) & 0xff] ^ shift[3][crc >> 24];
}

static uint64_t load(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, 8);
    return word;
}

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t start, const uint8_t *p, size_t count) {
    uint64_t crc = (uint32_t)~start;
    while (count >= 3 * LANE) {
        uint64_t second = 0, third = 0;
        for (size_t i = 0; i < LANE; i += 8) {
            crc = _mm_crc32_u64(crc, load(p + i));
            second = _mm_crc32_u64(second, load(p + LANE + i));
            third = _mm_crc32_u64(third, load(p + 2 * LANE + i));
        }
        crc = past_lane((uint32_t)crc) ^ second;
        crc = past_lane((uint32_t)crc) ^ third;
        p += 3 * LANE;
        count -= 3 * LANE;
    }
    for (; count >= 8; p += 8, count -= 8) crc = _mm_crc32_u64(crc, load(p));
    for (; count > 0; p++, count--) crc = _mm_crc32_u8((uint32_t)crc, *p);
    return ~(uint32_t)crc;
}
#endif

uint32_t uf_crc32c(uint32_t crc, const void *bytes, size_t count) {
#if defined(__x86_64__)
    pthread_once(&once, make_tables);
    if (__builtin_cpu_supports("sse4.2")) return crc32c_sse42(crc, bytes, count);
#endif
    return uf_crc32c_table(crc, bytes, count);
}
