#pragma once
#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, RFC 3720) of `bytes`, continued from `crc` (0 at the start). Uses the processor's instruction where there is one.
uint32_t uf_crc32c(uint32_t crc, const void *bytes, size_t count);

/// The plain version, a table of 256 entries: what the fast one is tested against.
uint32_t uf_crc32c_table(uint32_t crc, const void *bytes, size_t count);

/// Whether the processor has instructions for SHA-256, which the functions below need.
int uf_sha256_has_instructions(void);

/// Feeds whole blocks of 64 bytes to the eight words of a state (FIPS 180-4, 6.2.2).
void uf_sha256_feed(uint32_t *state, const uint8_t *bytes, size_t blocks);

/// The same for two states in step: the waits of one are filled by the other.
void uf_sha256_feed_two(uint32_t *const states[2], const uint8_t *const bytes[2], size_t blocks);

/// Digests messages that stand one after the other, each with its padding to whole blocks (FIPS 180-4, 5.1.1), two at a time: `states` gets eight words for each.
void uf_sha256_messages(const uint8_t *bytes, const size_t *blocks, size_t count, uint32_t *states);
