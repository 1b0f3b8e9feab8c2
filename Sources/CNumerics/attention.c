// Softmax over the keys that each query of a tile sees. The products with keys and values are BLAS calls of the caller.
#include "CNumerics.h"
#include "vector_math.h"

UF_INLINE float row_maximum(const float *x, size_t count) {
    if (count < 16) return f16_max(f16_load_part(x, count, x[0]));
    f16 greatest = f16_load(x);
    for (size_t c = 16; c + 16 <= count; c += 16) greatest = __builtin_elementwise_max(greatest, f16_load(x + c));
    greatest = __builtin_elementwise_max(greatest, f16_load(x + count - 16));
    return f16_max(greatest);
}

/// x becomes exp(x - shift); returns the sum.
UF_INLINE double exponentials(float *x, size_t count, float shift) {
    d8 low = {0}, high = {0};
    size_t c = 0;
    for (; c + 16 <= count; c += 16) {
        f16 e = f16_exp(f16_load(x + c) - f16_all(shift));
        f16_store(x + c, e);
        low += d8_low(e);
        high += d8_high(e);
    }
    double sum = d8_sum(low + high);
    if (c < count) {
        size_t n = count - c;
        f16 e = f16_exp(f16_load_part(x + c, n, shift) - f16_all(shift));
        f16_store_part(x + c, e, n);
        for (size_t i = 0; i < n; i++) sum += (double)x[c + i];
    }
    return sum;
}

UF_CLONES void uf_softmax_rows(float *scores, size_t rows, size_t stride, size_t width, size_t visible, size_t step, float *maxima,
                               float *inverse_sums, size_t statistics_stride) {
    for (size_t r = 0; r < rows; r++, scores += stride) {
        size_t count = visible + r * step;
        if (count > width) count = width;
        float maximum = row_maximum(scores, count);
        float inverse = (float)(1.0 / exponentials(scores, count, maximum));
        for (size_t c = 0; c < count; c++) scores[c] *= inverse;
        memset(scores + count, 0, (width - count) * sizeof(float));
        maxima[r * statistics_stride] = maximum;
        inverse_sums[r * statistics_stride] = inverse;
    }
}

UF_CLONES void uf_probabilities_again(float *scores, size_t rows, size_t stride, size_t width, ptrdiff_t causal, const float *maxima,
                                      const float *inverse_sums, size_t statistics_stride) {
    for (size_t r = 0; r < rows; r++, scores += stride) {
        size_t count = width;
        if (causal >= 0 && (size_t)causal + r + 1 < width) count = (size_t)causal + r + 1;
        f16 maximum = f16_all(maxima[r * statistics_stride]), inverse = f16_all(inverse_sums[r * statistics_stride]);
        size_t c = 0;
        for (; c + 16 <= count; c += 16) f16_store(scores + c, f16_exp(f16_load(scores + c) - maximum) * inverse);
        if (c < count) f16_store_part(scores + c, f16_exp(f16_load_part(scores + c, count - c, maximum[0]) - maximum) * inverse, count - c);
        memset(scores + count, 0, (width - count) * sizeof(float));
    }
}

UF_CLONES void uf_softmax_backward(const float *restrict probabilities, float *restrict dprobabilities, size_t rows, size_t stride, size_t width,
                                   const float *dots, size_t dots_stride, float scale) {
    for (size_t r = 0; r < rows; r++, probabilities += stride, dprobabilities += stride) {
        float dot = dots[r * dots_stride];
        for (size_t c = 0; c < width; c++) dprobabilities[c] = probabilities[c] * (dprobabilities[c] - dot) * scale;
    }
}

UF_CLONES void uf_row_dots(const float *a, const float *b, size_t rows, size_t stride, size_t width, float *dots, size_t dots_stride) {
    for (size_t r = 0; r < rows; r++, a += stride, b += stride) {
        d8 low = {0}, high = {0};
        size_t c = 0;
        for (; c + 16 <= width; c += 16) {
            f16 x = f16_load(a + c), y = f16_load(b + c);
            low += d8_low(x) * d8_low(y);
            high += d8_high(x) * d8_high(y);
        }
        double sum = d8_sum(low + high);
        for (; c < width; c++) sum += (double)a[c] * b[c];
        dots[r * dots_stride] = (float)sum;
    }
}
