#pragma once
#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, RFC 3720) of `bytes`, continued from `crc` (0 at the start). Uses the processor's instruction where there is one.
uint32_t uf_crc32c(uint32_t crc, const void *bytes, size_t count);

/// The plain version, a table of 256 entries: what the fast one is tested against.
uint32_t uf_crc32c_table(uint32_t crc, const void *bytes, size_t count);
