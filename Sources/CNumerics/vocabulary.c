// Log-softmax over a slice of the vocabulary: the slices of one row are combined by the caller in a fixed order.
#include "CNumerics.h"
#include "vector_math.h"

UF_CLONES void uf_log_sum_exp_part(const float *logits, size_t rows, size_t stride, size_t width, float *maxima, uint32_t *places, double *sums) {
    for (size_t r = 0; r < rows; r++, logits += stride) {
        float greatest;
        if (width < 16) {
            greatest = f16_max(f16_load_part(logits, width, logits[0]));
        } else {
            f16 lanes = f16_load(logits);
            for (size_t c = 16; c + 16 <= width; c += 16) lanes = __builtin_elementwise_max(lanes, f16_load(logits + c));
            greatest = f16_max(__builtin_elementwise_max(lanes, f16_load(logits + width - 16)));
        }
        d8 low = {0}, high = {0};
        size_t c = 0;
        for (; c + 16 <= width; c += 16) {
            f16 e = f16_exp(f16_load(logits + c) - f16_all(greatest));
            low += d8_low(e);
            high += d8_high(e);
        }
        double sum = d8_sum(low + high);
        if (c < width) {
            float last[16];
            f16_store(last, f16_exp(f16_load_part(logits + c, width - c, greatest) - f16_all(greatest)));
            for (size_t i = 0; i < width - c; i++) sum += (double)last[i];
        }
        maxima[r] = greatest;
        sums[r] = sum;
        if (places) {
            uint32_t place = 0;
            while (place + 1 < width && logits[place] != greatest) place++;
            places[r] = place;
        }
    }
}

UF_CLONES void uf_scaled_exp_rows(float *logits, size_t rows, size_t stride, size_t width, const float *maxima, const float *scales) {
    for (size_t r = 0; r < rows; r++, logits += stride) {
        f16 greatest = f16_all(maxima[r]), scale = f16_all(scales[r]);
        size_t c = 0;
        for (; c + 16 <= width; c += 16) f16_store(logits + c, f16_exp(f16_load(logits + c) - greatest) * scale);
        if (c < width) f16_store_part(logits + c, f16_exp(f16_load_part(logits + c, width - c, maxima[r]) - greatest) * scale, width - c);
    }
}
