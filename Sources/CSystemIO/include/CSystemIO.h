#ifndef UF_CSYSTEMIO_H
#define UF_CSYSTEMIO_H

#include <stdint.h>

/// Lets the disk begin to write `length` bytes of a file from `offset` on, without waiting for it (sync_file_range, which Swift does not see). A hint: it cannot fail.
void uf_start_writing(int descriptor, int64_t offset, int64_t length);

/// Lets this process keep what it frees, up to 128 MiB in each of the allocator's arenas, for what it allocates next. Left to itself the allocator gives a block of a
/// megabyte back to the system, and every page of the next one comes as a fault (mallopt, which Swift does not see).
void uf_keep_freed_memory(void);

#endif
