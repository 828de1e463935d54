// y = x · packedᵀ + bias with bf16 activations: vdpbf16ps adds two products a lane to an f32 accumulator.
//
// Twice the arithmetic of f32 for half the traffic. The instruction flushes subnormals and rounds to nearest,
// whatever the control register says.
#ifndef QUIRE_LINEAR_BF16_PAIRS_H
#define QUIRE_LINEAR_BF16_PAIRS_H

#include "linear.h"

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

static void linear_bf16_pairs(const void *packed, const void *x, size_t x_stride, float *y, size_t y_stride, size_t m,
                              size_t k, size_t n, const float *bias, size_t panel_begin,
                              size_t panel_end) {
    size_t panel_count = (k + 1) / 2 * 2 * quire_panel_width;
    for (size_t p = panel_begin; p < panel_end; p++) {
        const uint16_t *panel = (const uint16_t *)packed + p * panel_count;
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
