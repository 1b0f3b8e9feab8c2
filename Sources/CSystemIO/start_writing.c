#define _GNU_SOURCE
#include "CSystemIO.h"

#include <errno.h>
#include <fcntl.h>

void uf_start_writing(int descriptor, int64_t offset, int64_t length) {
    int before = errno;
    (void)sync_file_range(descriptor, offset, length, SYNC_FILE_RANGE_WRITE);
    errno = before;
}
