// Vectors of 16 floats and the few operations that the kernels share. Private to CNumerics.
//
// The vector types fix the order of every reduction in the source: sixteen partial sums, folded in one order, whatever the width of the
// machine's registers. So a kernel's result depends on the CPU only through fused multiply-add.
#pragma once
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__)
#define UF_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define UF_CLONES
#endif
#define UF_INLINE static inline __attribute__((always_inline))

typedef float f16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t i16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef double d8 __attribute__((vector_size(64), aligned(8), may_alias));
typedef float f8 __attribute__((vector_size(32), aligned(4), may_alias));

// Passing vectors by value is only a matter of the calling convention, and every function here is inlined.
#pragma clang diagnostic ignored "-Wpsabi"

UF_INLINE f16 f16_load(const float *p) { return *(const f16 *)p; }
UF_INLINE void f16_store(float *p, f16 v) { *(f16 *)p = v; }
UF_INLINE f16 f16_all(float x) { return (f16){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }

/// The first `count` floats, the other lanes set to `fill`.
UF_INLINE f16 f16_load_part(const float *p, size_t count, float fill) {
    f16 v = f16_all(fill);
    float lanes[16];
    memcpy(lanes, &v, sizeof lanes);
    memcpy(lanes, p, count * sizeof(float));
    memcpy(&v, lanes, sizeof lanes);
    return v;
}
UF_INLINE void f16_store_part(float *p, f16 v, size_t count) {
    float lanes[16];
    memcpy(lanes, &v, sizeof lanes);
    memcpy(p, lanes, count * sizeof(float));
}

UF_INLINE d8 d8_low(f16 v) { return __builtin_convertvector(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7), d8); }
UF_INLINE d8 d8_high(f16 v) { return __builtin_convertvector(__builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15), d8); }
UF_INLINE double d8_sum(d8 v) { return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7])); }

/// sum_c a[c] b[c] in double.
UF_INLINE double sum_of_products(const float *a, const float *b, size_t width) {
    d8 low = {0}, high = {0};
    size_t c = 0;
    for (; c + 16 <= width; c += 16) {
        f16 x = f16_load(a + c), y = f16_load(b + c);
        low += d8_low(x) * d8_low(y);
        high += d8_high(x) * d8_high(y);
    }
    double sum = d8_sum(low + high);
    for (; c < width; c++) sum += (double)a[c] * b[c];
    return sum;
}

UF_INLINE float f16_max(f16 v) {
    float m = v[0];
    for (int i = 1; i < 16; i++) m = v[i] > m ? v[i] : m;
    return m;
}

/// e^x in single precision, within 1.5 units in the last place; 0 below -87.33, e^88.37 above.
/// x = n ln 2 + r with |r| <= ln(2)/2; a polynomial of degree 6 for e^r; 2^n by the exponent's bits.
UF_INLINE f16 f16_exp(f16 x) {
#pragma clang fp contract(fast)
    const f16 highest = f16_all(88.37f), lowest = f16_all(-87.33f);
    f16 clamped = __builtin_elementwise_max(__builtin_elementwise_min(x, highest), lowest);
    // Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits.
    const f16 shifter = f16_all(12582912.0f);
    f16 biased = clamped * f16_all(1.44269504088896341f) + shifter;
    f16 n = biased - shifter;
    f16 r = clamped - n * f16_all(0.693359375f);
    r = r - n * f16_all(-2.12194440054690583e-4f);
    f16 p = f16_all(1.9875691500e-4f);
    p = p * r + f16_all(1.3981999507e-3f);
    p = p * r + f16_all(8.3334519073e-3f);
    p = p * r + f16_all(4.1665795894e-2f);
    p = p * r + f16_all(1.6666665459e-1f);
    p = p * r + f16_all(5.0000001201e-1f);
    f16 e = p * (r * r) + r + f16_all(1.0f);
    i16 exponent = (((i16)biased - 0x4B400000) + 127) << 23;
    f16 result = e * (f16)exponent;
    // What is not a number must stay visible.
    return (f16)(((i16)result & ~(i16)(x < lowest)) | (i16)(x != x));
}
