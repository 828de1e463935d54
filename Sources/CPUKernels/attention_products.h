// The two matrix products of attention, in register tiles: queries times a chunk's keys, and weights times its values.
#ifndef QUIRE_ATTENTION_PRODUCTS_H
#define QUIRE_ATTENTION_PRODUCTS_H

#include "attention_chunk.h"
#include "linear.h"

INLINE void score_rows(int pairs, size_t rows, size_t vectors, const float *queries, const float *keys,
                       size_t head_size, float *scores) {
    for (size_t v = 0; v < CHUNK / LANES; v += vectors) {
        accumulators acc;
        tile_zero(rows, vectors, acc);
        if (pairs) {
            const uint16_t *w = (const uint16_t *)(keys + v * LANES);
            tile_multiply_bf16_pairs(rows, vectors, queries, head_size, w, head_size, 0, acc);
        } else {
            tile_multiply(quire_dtype_f32, rows, vectors, queries, head_size, keys + v * LANES, CHUNK, head_size, 0,
                          acc);
        }
        tile_store(rows, vectors, acc, scores + v * LANES, CHUNK);
    }
}

INLINE void weigh_tile(size_t rows, size_t vectors, const float *weights, const float *values, size_t count,
                       float *output, size_t padded) {
    accumulators acc;
    tile_load(rows, vectors, output, padded, acc);
    tile_multiply(quire_dtype_f32, rows, vectors, weights, CHUNK, values, padded, count, 0, acc);
    tile_store(rows, vectors, acc, output, padded);
}

INLINE void weigh_rows(size_t rows, size_t vectors, const float *weights, const float *values, size_t count,
                       float *output, size_t padded) {
    size_t d = 0;
    for (; d + vectors * LANES <= padded; d += vectors * LANES) {
        weigh_tile(rows, vectors, weights, values + d, count, output + d, padded);
    }
    for (; d < padded; d += LANES) { weigh_tile(rows, 1, weights, values + d, count, output + d, padded); }
}

/// The same sums in the same order, with values read directly from the cache.
INLINE void weigh_cached_tile(quire_dtype dtype, size_t rows, size_t vectors, const float *weights,
                              const void *cache, const chunk *c, visible_range range, size_t d, float *output,
                              size_t padded) {
    accumulators acc;
    tile_load(rows, vectors, output + d, padded, acc);
    for (size_t j = range.begin; j < range.end; j++) {
        f32x16 values[PANEL_VECTORS];
        UNROLL for (size_t v = 0; v < vectors; v++) {
            values[v] = load_cached(dtype, cache, c->index[j], d + v * LANES);
        }
        UNROLL for (size_t r = 0; r < rows; r++) {
            f32x16 weight = splat(weights[r * CHUNK + j]);
            UNROLL for (size_t v = 0; v < vectors; v++) { acc[r][v] = weight * values[v] + acc[r][v]; }
        }
    }
    tile_store(rows, vectors, acc, output + d, padded);
}

INLINE void weigh_cached_rows(quire_dtype dtype, size_t rows, size_t vectors, const float *weights,
                              const void *cache, const chunk *c, visible_range range, float *output,
                              size_t padded) {
    size_t d = 0;
    for (; d + vectors * LANES <= padded; d += vectors * LANES) {
        weigh_cached_tile(dtype, rows, vectors, weights, cache, c, range, d, output, padded);
    }
    for (; d < padded; d += LANES) {
        weigh_cached_tile(dtype, rows, 1, weights, cache, c, range, d, output, padded);
    }
}

/// `scores[m, 64] = queries[m, head_size] · keys`.
INLINE void score(int pairs, const float *queries, const float *keys, size_t head_size, float *scores, size_t m) {
    for (size_t row = 0, rows; row < m; row += rows) {
        rows = next_rows(m - row);
#define CASE(R, V) score_rows(pairs, R, V, queries + row * head_size, keys, head_size, scores + row * CHUNK)
        FOR_ROW_COUNT(rows, CASE)
#undef CASE
    }
}

/// `output[m, padded] += weights[m, count] · values[count, padded]`; rows of `weights` are 64 apart.
static void weigh(const float *weights, const float *values, size_t count, float *output, size_t padded, size_t m) {
    for (size_t row = 0, rows; row < m; row += rows) {
        rows = next_rows(m - row);
#define CASE(R, V) weigh_rows(R, V, weights + row * CHUNK, values, count, output + row * padded, padded)
        FOR_ROW_COUNT(rows, CASE)
#undef CASE
    }
}

/// The same from the cache; `padded` is the head size.
INLINE void weigh_cached(quire_dtype dtype, const float *weights, const void *cache, const chunk *c,
                         visible_range range, float *output, size_t padded, size_t m) {
#define CASE(R, V) weigh_cached_rows(dtype, R, V, weights, cache, c, range, output, padded)
    FOR_ROW_COUNT(m, CASE)
#undef CASE
}

#endif
