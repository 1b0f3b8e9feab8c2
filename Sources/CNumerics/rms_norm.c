// RMSNorm (Zhang and Sennrich 2019, arXiv 1910.07467), forward and backward. Sums over a row are taken in double: a row's scale enters every
// later number of the model.
#include "CNumerics.h"
#include "vector_math.h"

UF_INLINE double sum_of_triple_products(const float *a, const float *b, const float *w, size_t width) {
    d8 low = {0}, high = {0};
    size_t c = 0;
    for (; c + 16 <= width; c += 16) {
        f16 x = f16_load(a + c), y = f16_load(b + c), z = f16_load(w + c);
        low += d8_low(x) * d8_low(z) * d8_low(y);
        high += d8_high(x) * d8_high(z) * d8_high(y);
    }
    double sum = d8_sum(low + high);
    for (; c < width; c++) sum += (double)a[c] * w[c] * b[c];
    return sum;
}

UF_CLONES void uf_rms_norm_again(const float *restrict x, const float *restrict weight, const float *inverse_rms, size_t rows, size_t width,
                                 float *restrict y) {
    for (size_t r = 0; r < rows; r++, x += width, y += width) {
        float inverse = inverse_rms[r];
        for (size_t c = 0; c < width; c++) y[c] = x[c] * inverse * weight[c];
    }
}

UF_CLONES void uf_rms_norm(const float *restrict x, const float *restrict weight, size_t rows, size_t width, double epsilon, float *restrict y,
                           float *restrict inverse_rms) {
    for (size_t r = 0; r < rows; r++, x += width, y += width) {
        double mean = sum_of_products(x, x, width) / (double)width;
        float inverse = (float)(1.0 / sqrt(mean + epsilon));
        inverse_rms[r] = inverse;
        for (size_t c = 0; c < width; c++) y[c] = x[c] * inverse * weight[c];
    }
}

// With s = inverse_rms: dx = s w dy - x s^3 / width * sum_c(dy w x).
UF_CLONES void uf_rms_norm_backward(const float *restrict dy, const float *restrict x, const float *restrict weight, const float *inverse_rms,
                                    size_t rows, size_t width, float *restrict dx) {
    for (size_t r = 0; r < rows; r++, x += width, dy += width, dx += width) {
        double s = inverse_rms[r];
        double dot = sum_of_triple_products(dy, x, weight, width);
        float inverse = inverse_rms[r], pull = (float)(dot * s * s * s / (double)width);
        for (size_t c = 0; c < width; c++) dx[c] += dy[c] * weight[c] * inverse - x[c] * pull;
    }
}

UF_CLONES void uf_rms_norm_weight_gradient(const float *restrict dy, const float *restrict x, const float *inverse_rms, size_t rows, size_t width,
                                           size_t first, size_t last, float *restrict dweight) {
    size_t c = first;
    for (; c + 16 <= last; c += 16) {
        d8 low = {0}, high = {0};
        for (size_t r = 0; r < rows; r++) {
            f16 product = f16_load(x + r * width + c) * inverse_rms[r];
            f16 d = f16_load(dy + r * width + c);
            low += d8_low(product) * d8_low(d);
            high += d8_high(product) * d8_high(d);
        }
        for (int i = 0; i < 8; i++) {
            dweight[c + i] += (float)low[i];
            dweight[c + 8 + i] += (float)high[i];
        }
    }
    for (; c < last; c++) {
        double sum = 0;
        for (size_t r = 0; r < rows; r++) sum += (double)(x[r * width + c] * inverse_rms[r]) * dy[r * width + c];
        dweight[c] += (float)sum;
    }
}
