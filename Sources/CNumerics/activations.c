// Rotary embedding in Hugging Face's layout (halves of a head, Su et al. 2021, arXiv 2104.09864) and SwiGLU's gate (Shazeer 2020, arXiv 2002.05202).
#include "CNumerics.h"
#include "vector_math.h"

UF_CLONES void uf_rotate_halves(float *restrict x, size_t rows, size_t heads, size_t half, const float *restrict cosines, const float *restrict sines,
                                float direction) {
    for (size_t r = 0; r < rows; r++, cosines += half, sines += half) {
        for (size_t h = 0; h < heads; h++, x += 2 * half) {
            for (size_t i = 0; i < half; i++) {
                float a = x[i], b = x[half + i], sine = direction * sines[i];
                x[i] = a * cosines[i] - b * sine;
                x[half + i] = b * cosines[i] + a * sine;
            }
        }
    }
}

UF_INLINE f16 sigmoid(f16 g) { return f16_all(1.0f) / (f16_all(1.0f) + f16_exp(-g)); }

UF_CLONES void uf_silu_times(const float *gate, const float *up, size_t count, float *y) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        f16 g = f16_load(gate + i);
        f16_store(y + i, g * sigmoid(g) * f16_load(up + i));
    }
    if (i < count) {
        f16 g = f16_load_part(gate + i, count - i, 0);
        f16_store_part(y + i, g * sigmoid(g) * f16_load_part(up + i, count - i, 0), count - i);
    }
}

UF_CLONES void uf_silu_times_backward(const float *dy, const float *gate, const float *up, size_t count, float *dgate, float *dup) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        f16 g = f16_load(gate + i), u = f16_load(up + i), d = f16_load(dy + i), s = sigmoid(g);
        f16_store(dgate + i, d * u * (s * (f16_all(1.0f) + g * (f16_all(1.0f) - s))));
        f16_store(dup + i, d * (g * s));
    }
    if (i < count) {
        size_t n = count - i;
        f16 g = f16_load_part(gate + i, n, 0), u = f16_load_part(up + i, n, 0), d = f16_load_part(dy + i, n, 0), s = sigmoid(g);
        f16_store_part(dgate + i, d * u * (s * (f16_all(1.0f) + g * (f16_all(1.0f) - s))), n);
        f16_store_part(dup + i, d * (g * s), n);
    }
}
