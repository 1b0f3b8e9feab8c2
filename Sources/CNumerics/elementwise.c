// Sums over whole arenas and the optimizer's update. No contraction here: these results are the same on every CPU.
#include "CNumerics.h"
#include "vector_math.h"

UF_CLONES void uf_add(const float *restrict x, size_t count, float *restrict y) {
    for (size_t i = 0; i < count; i++) y[i] += x[i];
}

UF_CLONES void uf_scale(float factor, size_t count, float *restrict y) {
    for (size_t i = 0; i < count; i++) y[i] *= factor;
}

UF_CLONES double uf_sum_of_squares(const float *x, size_t count) {
    d8 low = {0}, high = {0};
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        d8 a = d8_low(f16_load(x + i)), b = d8_high(f16_load(x + i));
        low += a * a;
        high += b * b;
    }
    double sum = d8_sum(low + high);
    for (; i < count; i++) sum += (double)x[i] * x[i];
    return sum;
}

UF_CLONES void uf_adamw(float *restrict parameters, const float *restrict gradients, float *restrict first, float *restrict second, size_t count,
                        const uf_adamw_step *step) {
    const double beta1 = step->beta1, beta2 = step->beta2, scale = step->gradient_scale, epsilon = step->epsilon;
    const double decay = 1.0 - step->learning_rate * step->weight_decay, rate = step->learning_rate / step->correction1;
    const double inverse2 = 1.0 / step->correction2;
    for (size_t i = 0; i < count; i++) {
        double g = (double)gradients[i] * scale;
        double m = beta1 * first[i] + (1.0 - beta1) * g;
        double v = beta2 * second[i] + (1.0 - beta2) * g * g;
        first[i] = (float)m;
        second[i] = (float)v;
        parameters[i] = (float)(parameters[i] * decay - rate * m / (sqrt(v * inverse2) + epsilon));
    }
}
