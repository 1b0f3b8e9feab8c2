// Makes one system call of a command fail, or kills the command at one: loaded before the C library (LD_PRELOAD), told by UFTOOLS_FAULT.
//
//   UFTOOLS_FAULT=write:3:28    the third write fails with error number 28 (ENOSPC)
//   UFTOOLS_FAULT=any:57:kill   the 57th of all calls below ends the process by SIGKILL, before the call is made
//   UFTOOLS_READ_SIZE=17        no read gives more than 17 bytes, as a slow pipe would
//
// Built by FaultInjection in Tests/CommandTests.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static char wanted[16];
static long at, error_number;
static size_t most_read = (size_t)-1;
static atomic_long calls;

__attribute__((constructor)) static void read_plan(void) {
    const char *plan = getenv("UFTOOLS_FAULT");
    char action[16] = "";
    const char *size = getenv("UFTOOLS_READ_SIZE");
    if (size) most_read = strtoul(size, NULL, 10);
    if (plan && sscanf(plan, "%15[^:]:%ld:%15s", wanted, &at, action) == 3) error_number = strcmp(action, "kill") == 0 ? -1 : atol(action);
}

/// Whether this call is the one.
static int fails(const char *name) {
    if (at == 0 || (strcmp(wanted, "any") != 0 && strcmp(wanted, name) != 0)) return 0;
    if (atomic_fetch_add(&calls, 1) + 1 != at) return 0;
    if (error_number < 0) kill(getpid(), SIGKILL);
    errno = (int)error_number;
    return 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t read(int file, void *bytes, size_t count) {
    // Looked up once: with small reads there are millions of them.
    static __typeof__(&read) next;
    if (!next) next = NEXT(read);
    return fails("read") ? -1 : next(file, bytes, count < most_read ? count : most_read);
}

ssize_t write(int file, const void *bytes, size_t count) { return fails("write") ? -1 : NEXT(write)(file, bytes, count); }
int fsync(int file) { return fails("fsync") ? -1 : NEXT(fsync)(file); }
int rename(const char *from, const char *to) { return fails("rename") ? -1 : NEXT(rename)(from, to); }
int unlink(const char *path) { return fails("unlink") ? -1 : NEXT(unlink)(path); }

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    return fails("open") ? -1 : NEXT(open)(path, flags, mode);
}
