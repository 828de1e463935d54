// y = x · packedᵀ + bias with f32 activations.
#ifndef QUIRE_LINEAR_H
#define QUIRE_LINEAR_H

#include "tile_finish.h"

/// The panel's outputs of `rows` rows, `vectors` vectors at a time.
INLINE void linear_rows(quire_dtype dtype, size_t rows, size_t vectors, int is_first, const char *panel,
                        const float *x, size_t x_stride, float *y, size_t y_stride, size_t k, size_t columns,
                        const float *bias) {
    for (size_t first = 0; first < PANEL_VECTORS && first * LANES < columns; first += vectors) {
        accumulators acc;
        tile_zero(rows, vectors, acc);
        // The first rows' first pass brings the whole panel for all that follow.
        int fetch = is_first && first == 0;
        if (dtype == quire_dtype_bf16) {
            const uint16_t *w = (const uint16_t *)panel + first * LANES * 2;
            tile_multiply_bf16_pairs(rows, vectors, x, x_stride, w, k, fetch, acc);
        } else {
            const char *w = panel + first * LANES * byte_size(dtype);
            tile_multiply(dtype, rows, vectors, x, x_stride, w, quire_panel_width, k, fetch, acc);
        }
        tile_finish(rows, vectors, acc, y + first * LANES, y_stride, columns - first * LANES,
                    bias ? bias + first * LANES : NULL);
    }
}

INLINE void linear_of(quire_dtype dtype, const void *packed, const float *x, size_t x_stride, float *y,
                      size_t y_stride, size_t m, size_t k, size_t n, const float *bias,
                      size_t panel_begin, size_t panel_end) {
    size_t depth = dtype == quire_dtype_bf16 ? (k + 1) / 2 * 2 : k;
    size_t panel_bytes = depth * quire_panel_width * byte_size(dtype);
    for (size_t p = panel_begin; p < panel_end; p++) {
        const char *panel = (const char *)packed + p * panel_bytes;
        size_t column = p * quire_panel_width;
        const float *panel_bias = bias ? bias + column : NULL;
        for (size_t row = 0, rows; row < m; row += rows) {
            rows = next_rows(m - row);
            const float *from = x + row * x_stride;
            float *to = y + row * y_stride + column;
#define CASE(R, V) \
    linear_rows(dtype, R, V, row == 0, panel, from, x_stride, to, y_stride, k, n - column, panel_bias)
            FOR_ROW_COUNT(rows, CASE)
#undef CASE
        }
    }
}

static void linear_f32(const void *packed, const void *x, size_t x_stride, float *y, size_t y_stride, size_t m,
                       size_t k, size_t n, const float *bias, size_t panel_begin, size_t panel_end) {
    linear_of(quire_dtype_f32, packed, x, x_stride, y, y_stride, m, k, n, bias, panel_begin, panel_end);
}

static void linear_f16(const void *packed, const void *x, size_t x_stride, float *y, size_t y_stride, size_t m,
                       size_t k, size_t n, const float *bias, size_t panel_begin, size_t panel_end) {
    linear_of(quire_dtype_f16, packed, x, x_stride, y, y_stride, m, k, n, bias, panel_begin, panel_end);
}

__attribute__((unused))
static void linear_bf16(const void *packed, const void *x, size_t x_stride, float *y, size_t y_stride, size_t m,
                        size_t k, size_t n, const float *bias, size_t panel_begin, size_t panel_end) {
    linear_of(quire_dtype_bf16, packed, x, x_stride, y, y_stride, m, k, n, bias, panel_begin, panel_end);
}

#endif
