// The inner loops of all matrix products: a few rows times a few vectors of outputs, in registers.
//
// Each output is one chain over k, in order, whatever the tile's shape: that is what makes a row's result
// independent of its neighbours.
#ifndef QUIRE_TILE_H
#define QUIRE_TILE_H

#include "numbers.h"

enum { MAX_ROWS = 6, PANEL_VECTORS = quire_panel_width / LANES };

typedef f32x16 accumulators[MAX_ROWS][PANEL_VECTORS];

INLINE void tile_zero(size_t rows, size_t vectors, accumulators acc) {
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++) { acc[r][v] = splat(0); }
    }
}

/// `acc[r] += sum over i of x[r, i] * w[i]`; `w` is `[k, w_stride]` of f32 or f16.
INLINE void tile_multiply(quire_dtype dtype, size_t rows, size_t vectors, const float *x, size_t x_stride,
                          const void *w, size_t w_stride, size_t k, accumulators acc) {
    for (size_t i = 0; i < k; i++) {
        f32x16 weights[PANEL_VECTORS];
        UNROLL for (size_t v = 0; v < vectors; v++) { weights[v] = load_as(dtype, w, i * w_stride + v * LANES); }
        UNROLL for (size_t r = 0; r < rows; r++) {
            f32x16 value = splat(x[r * x_stride + i]);
            UNROLL for (size_t v = 0; v < vectors; v++) { acc[r][v] = value * weights[v] + acc[r][v]; }
        }
    }
}

INLINE void tile_multiply_even(size_t rows, size_t vectors, const float *x, size_t x_stride,
                               const u32x16 *pairs, accumulators acc) {
    UNROLL for (size_t r = 0; r < rows; r++) {
        f32x16 value = splat(x[r * x_stride]);
        UNROLL for (size_t v = 0; v < vectors; v++) { acc[r][v] = value * float_of(pairs[v] << 16) + acc[r][v]; }
    }
}

INLINE void tile_multiply_odd(size_t rows, size_t vectors, const float *x, size_t x_stride,
                              const u32x16 *pairs, accumulators acc) {
    UNROLL for (size_t r = 0; r < rows; r++) {
        f32x16 value = splat(x[r * x_stride + 1]);
        UNROLL for (size_t v = 0; v < vectors; v++) {
            acc[r][v] = value * float_of(pairs[v] & 0xffff0000) + acc[r][v];
        }
    }
}

/// The same for weights packed as bf16 pairs, `[ceil(k / 2), 64, 2]`; `w` points at the tile's first column.
INLINE void tile_multiply_bf16_pairs(size_t rows, size_t vectors, const float *x, size_t x_stride,
                                     const uint16_t *w, size_t k, accumulators acc) {
    for (size_t i = 0; i < k; i += 2) {
        u32x16 pairs[PANEL_VECTORS];
        UNROLL for (size_t v = 0; v < vectors; v++) {
            pairs[v] = *(const u32x16_anywhere *)(w + i * quire_panel_width + v * 2 * LANES);
        }
        tile_multiply_even(rows, vectors, x + i, x_stride, pairs, acc);
        if (i + 1 < k) {
            tile_multiply_odd(rows, vectors, x + i, x_stride, pairs, acc);
        }
    }
}

#endif
