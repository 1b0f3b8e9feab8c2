// OpenBLAS picks its kernels by a table of CPU models. A CPU younger than the library falls back to kernels for CPUs of the 2000s, four to eight times
// too slow. Here the choice is made by what the CPU can do (CPUID), and OpenBLAS is made to choose again.
#define _GNU_SOURCE
#include "CNumerics.h"
#include <dlfcn.h>

uf_cpu_class uf_cpu_class_of_this_machine(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd"))
        return uf_cpu_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return uf_cpu_avx2;
#endif
    return uf_cpu_other;
}

int uf_openblas_choose_again(void) {
    // Exported by OpenBLAS builds with run-time dispatch, but in no header.
    void (*quit)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "gotoblas_dynamic_quit");
    void (*init)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "gotoblas_dynamic_init");
    if (!quit || !init) return 0;
    quit();
    init();
    return 1;
}

const char *uf_openblas_core_name(void) {
    const char *(*name)(void) = (const char *(*)(void))dlsym(RTLD_DEFAULT, "openblas_get_corename");
    return name ? name() : NULL;
}
