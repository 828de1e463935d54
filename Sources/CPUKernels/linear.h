// y = x · packedᵀ + bias with f32 activations. The file that includes this defines `TILE_ROWS` (rows of a register
// tile) and `TILE_VECTORS` (vectors of 16 outputs of a tile of several rows; one row takes the whole panel at once).
#ifndef QUIRE_LINEAR_H
#define QUIRE_LINEAR_H

#include "tile.h"

/// Writes a tile's outputs, of which `columns` exist.
INLINE void tile_finish(size_t rows, size_t vectors, accumulators acc, float *y, size_t y_stride, size_t columns,
                        const float *bias) {
    UNROLL for (size_t v = 0; v < vectors; v++) {
        if (v * LANES >= columns) {
            break;
        }
        size_t count = smaller(columns - v * LANES, LANES);
        f32x16 addend = bias ? load_some(bias + v * LANES, count) : splat(0);
        UNROLL for (size_t r = 0; r < rows; r++) {
            f32x16 result = bias ? acc[r][v] + addend : acc[r][v];
            store_some(y + r * y_stride + v * LANES, result, count);
        }
    }
}

/// The panel's outputs of `rows` rows, `vectors` vectors at a time.
INLINE void linear_rows(quire_dtype dtype, size_t rows, size_t vectors, const char *panel, const float *x,
                        size_t x_stride, float *y, size_t y_stride, size_t k, size_t columns,
                        const float *bias) {
    for (size_t first = 0; first < PANEL_VECTORS && first * LANES < columns; first += vectors) {
        accumulators acc;
        tile_zero(rows, vectors, acc);
        if (dtype == quire_dtype_bf16) {
            const uint16_t *w = (const uint16_t *)panel + first * LANES * 2;
            tile_multiply_bf16_pairs(rows, vectors, x, x_stride, w, k, acc);
        } else {
            const char *w = panel + first * LANES * byte_size(dtype);
            tile_multiply(dtype, rows, vectors, x, x_stride, w, quire_panel_width, k, acc);
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
        for (size_t row = 0; row < m;) {
            // Blocks of nearly equal height: 7 rows are 4 and 3, not 6 and a slow single one.
            size_t blocks = (m - row + TILE_ROWS - 1) / TILE_ROWS;
            size_t rows = (m - row + blocks - 1) / blocks;
            const float *from = x + row * x_stride;
            float *to = y + row * y_stride + column;
#define LINEAR_CASE(R, V)                                                                                       \
    case R: linear_rows(dtype, R, V, panel, from, x_stride, to, y_stride, k, n - column, panel_bias); break
            switch (rows) {
                LINEAR_CASE(1, PANEL_VECTORS);
                LINEAR_CASE(2, TILE_VECTORS);
                LINEAR_CASE(3, TILE_VECTORS);
#if TILE_ROWS > 3
                LINEAR_CASE(4, TILE_VECTORS);
                LINEAR_CASE(5, TILE_VECTORS);
                LINEAR_CASE(6, TILE_VECTORS);
#endif
            }
#undef LINEAR_CASE
            row += rows;
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
