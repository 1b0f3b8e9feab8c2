// The numerical kernels in C: what Swift cannot compile for several CPU classes in one binary. Matrices are row-major; `rows` and `width` count
// elements; no pointer may alias another unless a line says so. A kernel works on the rows it is given: the callers split rows over threads.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// --- blas_kernels.c: which of OpenBLAS's kernels this CPU deserves ---------------------------------------------------------------------

typedef enum { uf_cpu_other = 0, uf_cpu_avx2 = 1, uf_cpu_avx512 = 2 } uf_cpu_class;
uf_cpu_class uf_cpu_class_of_this_machine(void);
/// Makes OpenBLAS choose its kernels again, for the core type in OPENBLAS_CORETYPE. Returns 0 when the library does not let us.
int uf_openblas_choose_again(void);
/// The name of the kernels OpenBLAS uses now, or NULL.
const char *uf_openblas_core_name(void);

// --- worker_pool.c: plain threads that run the tiles of one job ------------------------------------------------------------------------

typedef struct uf_worker_pool uf_worker_pool;
typedef void (*uf_tile_function)(void *context, size_t tile, size_t worker);
/// A pool of `workers` (the caller is worker 0, workers - 1 threads beside it); NULL when no thread can be started.
uf_worker_pool *uf_worker_pool_create(size_t workers);
/// The CPUs that this process may run on, at least 1.
size_t uf_available_processors(void);
void uf_worker_pool_destroy(uf_worker_pool *pool);
/// Calls function(context, tile, worker) once for every tile in 0..<tiles and returns when all are done. Which worker runs a tile is open.
void uf_worker_pool_run(uf_worker_pool *pool, size_t tiles, uf_tile_function function, void *context);

// --- transpose.c -----------------------------------------------------------------------------------------------------------------------

/// y [width][y_stride] = the transpose of x [rows][x_stride], of which `width` columns count; the other one adds beta times what stood there.
void uf_transpose(const float *x, size_t rows, size_t width, size_t x_stride, float *y, size_t y_stride);
void uf_transpose_add(const float *x, size_t rows, size_t width, size_t x_stride, float beta, float *y, size_t y_stride);

// --- rms_norm.c: y = x / sqrt(mean(x^2) + epsilon) * weight ----------------------------------------------------------------------------

void uf_rms_norm(const float *x, const float *weight, size_t rows, size_t width, double epsilon, float *y, float *inverse_rms);
/// The same y from the stored inverse_rms: for backward passes that do not keep y.
void uf_rms_norm_again(const float *x, const float *weight, const float *inverse_rms, size_t rows, size_t width, float *y);
/// dx += the gradient with respect to x.
void uf_rms_norm_backward(const float *dy, const float *x, const float *weight, const float *inverse_rms, size_t rows, size_t width, float *dx);
/// dweight[c] += sum over all rows of dy * x * inverse_rms, for columns first..<last (in double, rows in order).
void uf_rms_norm_weight_gradient(const float *dy, const float *x, const float *inverse_rms, size_t rows, size_t width,
                                 size_t first, size_t last, float *dweight);

// --- activations.c: rotary embedding and the gated unit --------------------------------------------------------------------------------

/// Rotates each head of x [rows][heads * 2 half] in place: (a, b) -> (a cos - b sin, b cos + a sin) for a in the head's first half and b in its
/// second. cosines and sines are [rows][half]. `direction` +1 rotates forward, -1 back (the gradient).
void uf_rotate_halves(float *x, size_t rows, size_t heads, size_t half, const float *cosines, const float *sines, float direction);
/// y = gate * sigmoid(gate) * up, over `count` elements.
void uf_silu_times(const float *gate, const float *up, size_t count, float *y);
/// From dy: dgate and dup. They may be the same memory as gate and up.
void uf_silu_times_backward(const float *dy, const float *gate, const float *up, size_t count, float *dgate, float *dup);

// --- attention.c: softmax over the keys a query sees -----------------------------------------------------------------------------------
// In the first two functions every element is one chain of sums of its own: neither the rows and columns beside it nor the cut of the work into calls
// change its bits.

/// scores [rows][scores_stride] = scale * queries [rows][depth] * keys [depth][columns]. Reads up to 31 floats beyond `columns` in each line of keys and
/// writes as many beyond it in each row of scores.
void uf_scores(const float *queries, size_t queries_stride, size_t rows, const float *keys, size_t keys_stride, size_t columns, size_t depth, float scale,
               float *scores, size_t scores_stride);
/// sums [rows][width] += weights [rows][count] * values [count][width], in the order of the values. Reads up to 15 floats beyond `width` in each line of values.
void uf_weighted_sums(const float *weights, size_t weights_stride, size_t rows, const float *values, size_t values_stride, size_t count, size_t width,
                      float *sums);

/// Each row r of scores [rows][stride] becomes probabilities over its first `visible + r * step` entries, zero up to `width`.
/// maxima[r * statistics_stride] and inverse_sums[...] receive what turns a score into its probability: exp(s - maximum) * inverse_sum.
void uf_softmax_rows(float *scores, size_t rows, size_t stride, size_t width, size_t visible, size_t step,
                     float *maxima, float *inverse_sums, size_t statistics_stride);
/// The same probabilities from the stored statistics. With causal >= 0 row r sees only the keys c <= causal + r of the tile, otherwise all.
void uf_probabilities_again(float *scores, size_t rows, size_t stride, size_t width, ptrdiff_t causal,
                            const float *maxima, const float *inverse_sums, size_t statistics_stride);
/// dscores = probabilities * (dprobabilities - dots[r]) * scale, written over dprobabilities.
void uf_softmax_backward(const float *probabilities, float *dprobabilities, size_t rows, size_t stride, size_t width,
                         const float *dots, size_t dots_stride, float scale);
/// dots[r * dots_stride] = sum_c a[r][c] * b[r][c] (in double).
void uf_row_dots(const float *a, const float *b, size_t rows, size_t stride, size_t width, float *dots, size_t dots_stride);

// --- vocabulary.c: log-softmax over a slice of the vocabulary --------------------------------------------------------------------------

/// For each row of logits [rows][stride], over its `width` columns: the greatest value, its first place (unless `places` is NULL), and
/// sum exp(logit - greatest).
void uf_log_sum_exp_part(const float *logits, size_t rows, size_t stride, size_t width, float *maxima, uint32_t *places, double *sums);
/// logits become probability * weights[r]: exp(logit - maxima[r]) * scales[r], where scales[r] holds weight / sum.
void uf_scaled_exp_rows(float *logits, size_t rows, size_t stride, size_t width, const float *maxima, const float *scales);

// --- elementwise.c: sums and the optimizer ---------------------------------------------------------------------------------------------

void uf_add(const float *x, size_t count, float *y);              // y += x
void uf_scale(float factor, size_t count, float *y);              // y *= factor
/// The sum of squares in double, in an order that depends on `count` alone and on no CPU.
double uf_sum_of_squares(const float *x, size_t count);

typedef struct {
    /// lr, betas, epsilon and weight decay as in Loshchilov and Hutter, "Decoupled weight decay regularization" (algorithm 2).
    double learning_rate, beta1, beta2, epsilon, weight_decay;
    /// 1 - beta^t for the step t = 1, 2, ...
    double correction1, correction2;
    /// Every gradient is multiplied by this first (clipping, averaging).
    double gradient_scale;
} uf_adamw_step;
/// One AdamW step over `count` parameters in place: moments first (m) and second (v).
void uf_adamw(float *parameters, const float *gradients, float *first, float *second, size_t count, const uf_adamw_step *step);

#ifdef __cplusplus
}
#endif
