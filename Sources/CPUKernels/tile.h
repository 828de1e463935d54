// The inner loops of all matrix products: a few rows times a few vectors of outputs, in registers.
//
// Each output is one chain over k, in order, whatever the tile's shape: that is what makes a row's result
// independent of its neighbours.
#ifndef QUIRE_TILE_H
#define QUIRE_TILE_H

#include "numbers.h"

enum { MAX_ROWS = 6, PANEL_VECTORS = quire_panel_width / LANES };

typedef f32x16 accumulators[MAX_ROWS][PANEL_VECTORS];

// Calls `CASE(rows, vectors)` with constants. The file that includes this one says how many rows a register tile has
// (`TILE_ROWS`, 3 or 6), and how many vectors of 16 outputs with two or three rows (`SHORT_TILE_VECTORS`) and with
// more rows (`TILE_VECTORS`). A tile of one row has the width of a whole panel.
#if TILE_ROWS > 3
#define FOR_ROW_COUNT(rows, CASE)                                                                               \
    switch (rows) {                                                                                             \
        case 1: CASE(1, PANEL_VECTORS); break;                                                                  \
        case 2: CASE(2, SHORT_TILE_VECTORS); break;                                                                    \
        case 3: CASE(3, SHORT_TILE_VECTORS); break;                                                                    \
        case 4: CASE(4, TILE_VECTORS); break;                                                                   \
        case 5: CASE(5, TILE_VECTORS); break;                                                                   \
        case 6: CASE(6, TILE_VECTORS); break;                                                                   \
    }
#else
#define FOR_ROW_COUNT(rows, CASE)                                                                               \
    switch (rows) {                                                                                             \
        case 1: CASE(1, PANEL_VECTORS); break;                                                                  \
        case 2: CASE(2, SHORT_TILE_VECTORS); break;                                                                    \
        case 3: CASE(3, SHORT_TILE_VECTORS); break;                                                                    \
    }
#endif

/// How many of `left` rows the next tile has. Tiles get nearly equal heights: 7 rows are split into 4 and 3, not 6
/// and 1.
INLINE size_t next_rows(size_t left) {
    size_t blocks = (left + TILE_ROWS - 1) / TILE_ROWS;
    return (left + blocks - 1) / blocks;
}

/// The distance of prefetches before the use of weights, in bytes.
enum { FETCH_AHEAD = 4096 };

/// If `enabled`, prefetches `bytes` bytes, a multiple of 64, that will be read after the next `FETCH_AHEAD` bytes.
INLINE void fetch_ahead(int enabled, const void *from, size_t bytes) {
    if (!enabled) {
        return;
    }
    UNROLL for (size_t byte = 0; byte < bytes; byte += 64) {
        __builtin_prefetch((const char *)from + FETCH_AHEAD + byte);
    }
}

INLINE void tile_zero(size_t rows, size_t vectors, accumulators acc) {
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++) { acc[r][v] = splat(0); }
    }
}

INLINE void tile_load(size_t rows, size_t vectors, const float *y, size_t y_stride, accumulators acc) {
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++) { acc[r][v] = load(y + r * y_stride + v * LANES); }
    }
}

INLINE void tile_store(size_t rows, size_t vectors, accumulators acc, float *y, size_t y_stride) {
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++) { store(y + r * y_stride + v * LANES, acc[r][v]); }
    }
}

/// `acc[r] += sum over i of x[r, i] * w[i]`; `w` is `[k, w_stride]` of f32 or f16.
/// `fetch`: whether to prefetch the panel.
INLINE void tile_multiply(quire_dtype dtype, size_t rows, size_t vectors, const float *x, size_t x_stride,
                          const void *w, size_t w_stride, size_t k, int fetch, accumulators acc) {
    for (size_t i = 0; i < k; i++) {
        fetch_ahead(fetch, (const char *)w + i * w_stride * byte_size(dtype), quire_panel_width * byte_size(dtype));
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

/// The same for weights prepacked as bf16 pairs, `[ceil(k / 2), 64, 2]`; `w` points at the tile's first column.
INLINE void tile_multiply_bf16_pairs(size_t rows, size_t vectors, const float *x, size_t x_stride,
                                     const uint16_t *w, size_t k, int fetch, accumulators acc) {
    for (size_t i = 0; i < k; i += 2) {
        fetch_ahead(fetch, w + i * quire_panel_width, 2 * quire_panel_width * sizeof(uint16_t));
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

/// Writes the first `columns` outputs of `tile[rows, 64]`. Not inlined, so that the loops above keep their registers.
__attribute__((noinline)) static void finish_part(size_t rows, const float *tile, float *y, size_t y_stride,
                                                  size_t columns, const float *bias) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < columns; i++) {
            float value = tile[r * quire_panel_width + i];
            y[r * y_stride + i] = bias ? value + bias[i] : value;
        }
    }
}

/// Writes a tile's outputs, of which `columns` exist.
INLINE void tile_finish(size_t rows, size_t vectors, accumulators acc, float *y, size_t y_stride, size_t columns,
                        const float *bias) {
    if (columns < vectors * LANES) {
        float tile[MAX_ROWS * quire_panel_width];
        UNROLL for (size_t r = 0; r < rows; r++) {
            UNROLL for (size_t v = 0; v < vectors; v++) { store(tile + r * quire_panel_width + v * LANES, acc[r][v]); }
        }
        finish_part(rows, tile, y, y_stride, columns, bias);
        return;
    }
    UNROLL for (size_t v = 0; v < vectors; v++) {
        f32x16 addend = bias ? load(bias + v * LANES) : splat(0);
        UNROLL for (size_t r = 0; r < rows; r++) {
            f32x16 result = bias ? acc[r][v] + addend : acc[r][v];
            store(y + r * y_stride + v * LANES, result);
        }
    }
}

#endif
