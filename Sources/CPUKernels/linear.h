// Linear operations on dense weights: y = x · weightsᵀ + bias, with prepacked weights.
#ifndef QUIRE_LINEAR_H
#define QUIRE_LINEAR_H

#include "tile.h"

/// The panel's outputs of `rows` rows, `vectors` vectors at a time.
INLINE void linear_rows(quire_dtype dtype, size_t rows, size_t vectors, int is_first, const char *panel,
                        const float *x, size_t x_stride, float *y, size_t y_stride, size_t k, size_t columns,
                        const float *bias) {
    for (size_t first = 0; first < PANEL_VECTORS && first * LANES < columns; first += vectors) {
        accumulators acc;
        tile_zero(rows, vectors, acc);
        // The first pass of the first rows prefetches the whole panel for all passes that follow.
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

INLINE void linear_of(quire_dtype dtype, const void *panels, const float *x, size_t x_stride, float *y,
                      size_t y_stride, size_t m, size_t k, size_t n, const float *bias,
                      size_t panel_begin, size_t panel_end) {
    size_t depth = dtype == quire_dtype_bf16 ? (k + 1) / 2 * 2 : k;
    size_t panel_bytes = depth * quire_panel_width * byte_size(dtype);
    for (size_t p = panel_begin; p < panel_end; p++) {
        const char *panel = (const char *)panels + p * panel_bytes;
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

static void linear_f32(const void *panels, const void *x, size_t x_stride, float *y, size_t y_stride, size_t m,
                       size_t k, size_t n, const float *bias, size_t panel_begin, size_t panel_end) {
    linear_of(quire_dtype_f32, panels, x, x_stride, y, y_stride, m, k, n, bias, panel_begin, panel_end);
}

static void linear_f16(const void *panels, const void *x, size_t x_stride, float *y, size_t y_stride, size_t m,
                       size_t k, size_t n, const float *bias, size_t panel_begin, size_t panel_end) {
    linear_of(quire_dtype_f16, panels, x, x_stride, y, y_stride, m, k, n, bias, panel_begin, panel_end);
}

/// `outputs` sums of one row of `x`, those of neighbouring rows of the weights.
INLINE void row_major_sums(quire_dtype dtype, size_t outputs, const void *weights, size_t index, const float *x,
                           float *y, size_t k) {
    f32x16 acc[4];
    for (size_t o = 0; o < outputs; o++) { acc[o] = splat(0); }
    size_t i = 0;
    for (; i + LANES <= k; i += LANES) {
        f32x16 numbers = load(x + i);
        UNROLL for (size_t o = 0; o < outputs; o++) {
            acc[o] = numbers * load_as(dtype, weights, index + o * k + i) + acc[o];
        }
    }
    if (i < k) {
        f32x16 numbers = load_part(x + i, k - i);
        UNROLL for (size_t o = 0; o < outputs; o++) {
            acc[o] = numbers * load_part_as(dtype, weights, index + o * k + i, k - i) + acc[o];
        }
    }
    for (size_t o = 0; o < outputs; o++) { y[o] = sum_of(acc[o]); }
}

INLINE void row_major_of(quire_dtype dtype, const void *weights, const float *x, size_t x_stride, float *y,
                         size_t y_stride, size_t m, size_t k, size_t begin, size_t end) {
    for (size_t row = 0; row < m; row++) {
        const float *from = x + row * x_stride;
        float *to = y + row * y_stride;
        size_t output = begin;
        for (; output + 4 <= end; output += 4) {
            row_major_sums(dtype, 4, weights, output * k, from, to + output, k);
        }
        for (; output < end; output++) { row_major_sums(dtype, 1, weights, output * k, from, to + output, k); }
    }
}

static void linear_row_major(quire_dtype dtype, const void *weights, const float *x, size_t x_stride, float *y,
                             size_t y_stride, size_t m, size_t k, size_t begin, size_t end) {
#define CASE(D) \
    case D: row_major_of(D, weights, x, x_stride, y, y_stride, m, k, begin, end); break
    switch (dtype) {
        CASE(quire_dtype_f32);
        CASE(quire_dtype_f16);
        CASE(quire_dtype_bf16);
        case quire_dtype_int8: break;
    }
#undef CASE
}

__attribute__((unused))
static void linear_bf16(const void *panels, const void *x, size_t x_stride, float *y, size_t y_stride, size_t m,
                        size_t k, size_t n, const float *bias, size_t panel_begin, size_t panel_end) {
    linear_of(quire_dtype_bf16, panels, x, x_stride, y, y_stride, m, k, n, bias, panel_begin, panel_end);
}

#ifdef QUIRE_AVX512BF16

// bf16 activations: vdpbf16ps adds two products a lane to an f32 accumulator, which is twice the arithmetic of f32
// for half the memory traffic. The instruction flushes subnormals and rounds to nearest, whatever the control
// register says.

INLINE void linear_pairs_rows(size_t rows, int fetch, const uint16_t *panel, const uint16_t *x, size_t x_stride,
                              float *y, size_t y_stride, size_t k, size_t columns, const float *bias) {
    accumulators acc;
    tile_zero(rows, PANEL_VECTORS, acc);
    for (size_t i = 0; i < k; i += 2) {
        fetch_ahead(fetch, panel + i * quire_panel_width, 2 * quire_panel_width * sizeof(uint16_t));
        __m512bh weights[PANEL_VECTORS];
        UNROLL for (size_t v = 0; v < PANEL_VECTORS; v++) {
            weights[v] = (__m512bh)_mm512_loadu_si512(panel + i * quire_panel_width + v * 2 * LANES);
        }
        UNROLL for (size_t r = 0; r < rows; r++) {
            int32_t pair;
            memcpy(&pair, x + r * x_stride + i, sizeof pair);
            __m512bh value = (__m512bh)_mm512_set1_epi32(pair);
            UNROLL for (size_t v = 0; v < PANEL_VECTORS; v++) {
                acc[r][v] = (f32x16)_mm512_dpbf16_ps((__m512)acc[r][v], weights[v], value);
            }
        }
    }
    tile_finish(rows, PANEL_VECTORS, acc, y, y_stride, columns, bias);
}

static void linear_bf16_pairs(const void *panels, const void *x, size_t x_stride, float *y, size_t y_stride, size_t m,
                              size_t k, size_t n, const float *bias, size_t panel_begin,
                              size_t panel_end) {
    size_t panel_count = (k + 1) / 2 * 2 * quire_panel_width;
    for (size_t p = panel_begin; p < panel_end; p++) {
        const uint16_t *panel = (const uint16_t *)panels + p * panel_count;
        size_t column = p * quire_panel_width;
        const float *panel_bias = bias ? bias + column : NULL;
        for (size_t row = 0, rows; row < m; row += rows) {
            rows = next_rows(m - row);
            const uint16_t *from = (const uint16_t *)x + row * x_stride;
            float *to = y + row * y_stride + column;
#define CASE(R, V) \
    linear_pairs_rows(R, row == 0, panel, from, x_stride, to, y_stride, k, n - column, panel_bias)
            FOR_ROW_COUNT(rows, CASE)
#undef CASE
        }
    }
}

#endif

#endif
