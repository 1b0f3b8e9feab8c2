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

/// Whether it also has the registers of 512 bits that take sixteen messages at a time.
int uf_sha256_has_wide_registers(void);

/// A message on its way: the eight words of its state and the whole blocks that are still to be fed.
struct uf_sha256_message {
    uint32_t *state;
    const uint8_t *bytes;
    size_t blocks;
};

/// Feeds all messages, as many in step as there are, up to `most`: 1, 2 (the waits of one are filled by the other) or, with wide registers, 16.
void uf_sha256_feed_all(struct uf_sha256_message *messages, size_t count, size_t most);
