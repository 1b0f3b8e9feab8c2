// Attention's products on the way up, and softmax over the keys that each query of a tile sees. The products are written out here because a BLAS sums in
// an order that depends on the matrix's size and on an element's place in it; on the way back that does not matter, and the caller uses BLAS.
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

/// `tall` rows (a constant where this is inlined) of scores, all columns.
UF_INLINE void score_rows(size_t tall, const float *queries, size_t queries_stride, const float *keys, size_t keys_stride, size_t columns, size_t depth,
                          float scale, float *scores, size_t scores_stride) {
#pragma clang fp contract(fast)
    for (size_t c = 0; c < columns; c += 32) {
        f16 sums[4][2] = {{{0}}};
        for (size_t k = 0; k < depth; k++) {
            f16 left = f16_load(keys + k * keys_stride + c), right = f16_load(keys + k * keys_stride + c + 16);
            for (size_t r = 0; r < tall; r++) {
                f16 q = f16_all(queries[r * queries_stride + k]);
                sums[r][0] = q * left + sums[r][0];
                sums[r][1] = q * right + sums[r][1];
            }
        }
        for (size_t r = 0; r < tall; r++) {
            f16_store(scores + r * scores_stride + c, sums[r][0] * scale);
            f16_store(scores + r * scores_stride + c + 16, sums[r][1] * scale);
        }
    }
}

UF_CLONES void uf_scores(const float *queries, size_t queries_stride, size_t rows, const float *keys, size_t keys_stride, size_t columns, size_t depth,
                         float scale, float *scores, size_t scores_stride) {
    size_t r = 0;
    for (; r + 4 <= rows; r += 4)
        score_rows(4, queries + r * queries_stride, queries_stride, keys, keys_stride, columns, depth, scale, scores + r * scores_stride, scores_stride);
    for (; r < rows; r++)
        score_rows(1, queries + r * queries_stride, queries_stride, keys, keys_stride, columns, depth, scale, scores + r * scores_stride, scores_stride);
}

/// `tall` rows and up to 32 columns of the sums.
UF_INLINE void sum_rows(size_t tall, const float *weights, size_t weights_stride, const float *values, size_t values_stride, size_t count, size_t width,
                        size_t columns, float *sums) {
#pragma clang fp contract(fast)
    size_t first = columns < 16 ? columns : 16, second = columns - first;
    f16 lanes[4][2];
    for (size_t r = 0; r < tall; r++) {
        lanes[r][0] = first == 16 ? f16_load(sums + r * width) : f16_load_part(sums + r * width, first, 0);
        lanes[r][1] = second == 16 ? f16_load(sums + r * width + 16) : f16_load_part(sums + r * width + first, second, 0);
    }
    if (second) {
        for (size_t i = 0; i < count; i++) {
            f16 left = f16_load(values + i * values_stride), right = f16_load(values + i * values_stride + 16);
            for (size_t r = 0; r < tall; r++) {
                f16 w = f16_all(weights[r * weights_stride + i]);
                lanes[r][0] = w * left + lanes[r][0];
                lanes[r][1] = w * right + lanes[r][1];
            }
        }
    } else {
        for (size_t i = 0; i < count; i++) {
            f16 left = f16_load(values + i * values_stride);
            for (size_t r = 0; r < tall; r++) lanes[r][0] = f16_all(weights[r * weights_stride + i]) * left + lanes[r][0];
        }
    }
    for (size_t r = 0; r < tall; r++) {
        f16_store_part(sums + r * width, lanes[r][0], first);
        f16_store_part(sums + r * width + first, lanes[r][1], second);
    }
}

UF_CLONES void uf_weighted_sums(const float *weights, size_t weights_stride, size_t rows, const float *values, size_t values_stride, size_t count,
                                size_t width, float *sums) {
    for (size_t c = 0; c < width; c += 32) {
        size_t columns = width - c < 32 ? width - c : 32, r = 0;
        for (; r + 4 <= rows; r += 4)
            sum_rows(4, weights + r * weights_stride, weights_stride, values + c, values_stride, count, width, columns, sums + r * width + c);
        for (; r < rows; r++)
            sum_rows(1, weights + r * weights_stride, weights_stride, values + c, values_stride, count, width, columns, sums + r * width + c);
    }
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
    for (size_t r = 0; r < rows; r++, a += stride, b += stride) dots[r * dots_stride] = (float)sum_of_products(a, b, width);
}
