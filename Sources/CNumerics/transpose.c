// Matrices turned. Sixteen rows at a time: each line of y that is touched is filled.
#include "CNumerics.h"
#include "vector_math.h"

UF_CLONES void uf_transpose(const float *restrict x, size_t rows, size_t width, size_t x_stride, float *restrict y, size_t y_stride) {
    for (size_t r = 0; r < rows; r += 16) {
        size_t count = rows - r < 16 ? rows - r : 16;
        for (size_t c = 0; c < width; c++)
            for (size_t i = 0; i < count; i++) y[c * y_stride + r + i] = x[(r + i) * x_stride + c];
    }
}

UF_CLONES void uf_transpose_add(const float *restrict x, size_t rows, size_t width, size_t x_stride, float beta, float *restrict y, size_t y_stride) {
    for (size_t r = 0; r < rows; r += 16) {
        size_t count = rows - r < 16 ? rows - r : 16;
        for (size_t c = 0; c < width; c++)
            for (size_t i = 0; i < count; i++) y[c * y_stride + r + i] = x[(r + i) * x_stride + c] + beta * y[c * y_stride + r + i];
    }
}
