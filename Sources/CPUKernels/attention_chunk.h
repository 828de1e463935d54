// One chunk of 64 positions of a paged cache: its visible positions, their addresses, and the copies that the
// products read.
#ifndef QUIRE_ATTENTION_CHUNK_H
#define QUIRE_ATTENTION_CHUNK_H

#include "attention_scratch.h"
#include "int8_heads.h"
#include "numbers.h"

// A 16 by 16 transposition in registers, by the usual network: each pass joins every row with a partner, the low
// halves into one of them and the high halves into the other.
#define JOIN(name, low, high)                                                                                   \
    INLINE void name(f32x16 *a, f32x16 *b) {                                                                    \
        f32x16 first = __builtin_shufflevector(*a, *b, low);                                                    \
        *b = __builtin_shufflevector(*a, *b, high);                                                             \
        *a = first;                                                                                             \
    }
#define LIST(...) __VA_ARGS__
JOIN(join1, LIST(0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29),
     LIST(2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31))
JOIN(join2, LIST(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
     LIST(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
JOIN(join4, LIST(0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27),
     LIST(4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31))
#undef LIST
#undef JOIN

/// Moves bits only, so the rows may hold any type.
INLINE void transpose(f32x16 rows[LANES]) {
    UNROLL for (size_t i = 0; i < LANES; i += 2) { join1(&rows[i], &rows[i + 1]); }
    UNROLL for (size_t q = 0; q < LANES; q += 4) {
        join2(&rows[q], &rows[q + 2]);
        join2(&rows[q + 1], &rows[q + 3]);
    }
    UNROLL for (size_t i = 0; i < 4; i++) {
        join4(&rows[i], &rows[i + 4]);
        join4(&rows[i + 8], &rows[i + 12]);
    }
    UNROLL for (size_t i = 0; i < 4; i++) {
        join4(&rows[i], &rows[i + 8]);
        join4(&rows[i + 4], &rows[i + 12]);
    }
    // The passes leave the second and the third row of each four exchanged.
    UNROLL for (size_t q = 0; q < LANES; q += 4) {
        f32x16 second = rows[q + 2];
        rows[q + 2] = rows[q + 1];
        rows[q + 1] = second;
    }
}

/// Positions `begin ..< end`.
typedef struct visible_range {
    size_t begin, end;
} visible_range;

typedef struct chunk {
    /// Absolute position of its first, a multiple of 64.
    size_t start;
    /// The positions that any query of the call sees, counted from `start`; empty after the last position.
    visible_range range;
    /// The index of each position's vector of this head, for `load_cached`; 0 outside of `range`.
    size_t index[CHUNK];
} chunk;

INLINE visible_range visible_positions(const quire_attention *a, size_t position) {
    size_t end = position + 1;
    size_t begin = a->sliding_window && a->sliding_window < end ? end - a->sliding_window : 0;
    return (visible_range){begin, end};
}

/// The part of `all` in the chunk at `start`, counted from there; 0 to 0 if it is empty.
INLINE visible_range range_in_chunk(visible_range all, size_t start) {
    size_t begin = all.begin > start ? all.begin - start : 0;
    size_t end = all.end > start ? smaller(all.end - start, CHUNK) : 0;
    return begin < end ? (visible_range){begin, end} : (visible_range){0, 0};
}

/// Fills in the chunk at `start` through the block table.
static void locate(const quire_attention *a, size_t kv_head, visible_range all, size_t start, chunk *c) {
    c->start = start;
    c->range = range_in_chunk(all, start);
    memset(c->index, 0, sizeof c->index);
    int scaled = a->cache_dtype == quire_dtype_int8;
    size_t head_stride = scaled ? scaled_head_size(a->head_size) : a->head_size;
    size_t stride = a->kv_head_count * head_stride;
    size_t first = kv_head * head_stride + (scaled ? SCALE_SIZE : 0);
    size_t block = (start + c->range.begin) / a->block_size, offset = (start + c->range.begin) % a->block_size;
    for (size_t j = c->range.begin; j < c->range.end; block++, offset = 0) {
        size_t run = smaller(a->block_size - offset, c->range.end - j);
        size_t at = (size_t)a->block_table[block] * a->block_stride + offset * stride + first;
        for (size_t i = 0; i < run; i++, at += stride) { c->index[j++] = at; }
    }
}

/// Prefetches one position's vector.
INLINE void fetch_row(quire_dtype dtype, const quire_attention *a, const void *cache, const chunk *c, size_t j) {
    const char *row = (const char *)cache + c->index[j] * byte_size(dtype);
    for (size_t byte = 0; byte < a->head_size * byte_size(dtype); byte += 64) { __builtin_prefetch(row + byte, 0, 2); }
}

/// Prefetches the keys of the next chunk.
INLINE void fetch_keys(quire_dtype dtype, const quire_attention *a, const chunk *c) {
    for (size_t j = c->range.begin; j < c->range.end; j++) { fetch_row(dtype, a, a->keys, c, j); }
}

/// Whether keys are transposed as pairs of bf16, with half the shuffles: `[head_size / 2, 64, 2]`, the layout of
/// prepacked bf16 weights. Otherwise they are widened: `[head_size, 64]`.
INLINE int keys_stay_pairs(quire_dtype dtype, size_t head_size) {
    return dtype == quire_dtype_bf16 && head_size % (2 * LANES) == 0;
}

/// Writes the chunk's keys, transposed; columns outside of its range are zero. Prefetches the values on the way.
INLINE void gather_keys(quire_dtype dtype, const quire_attention *a, const chunk *c, float *keys) {
    int pairs = keys_stay_pairs(dtype, a->head_size);
    size_t words = pairs ? a->head_size / 2 : a->head_size;
    for (size_t first = 0; first < CHUNK; first += LANES) {
        int whole = first >= c->range.begin && first + LANES <= c->range.end;
        for (size_t j = first; j < first + LANES; j++) { fetch_row(dtype, a, a->values, c, j); }
        for (size_t d = 0; d < words; d += LANES) {
            size_t count = smaller(words - d, LANES);
            f32x16 rows[LANES];
            if (whole && count == LANES) {
                UNROLL for (size_t j = 0; j < LANES; j++) {
                    size_t index = c->index[first + j];
                    rows[j] = pairs ? load((const float *)a->keys + index / 2 + d)
                                    : load_cached(dtype, a->keys, index, d);
                }
            } else {
                for (size_t j = 0; j < LANES; j++) {
                    size_t index = c->index[first + j];
                    int seen = first + j >= c->range.begin && first + j < c->range.end;
                    rows[j] = !seen           ? splat(0)
                              : pairs         ? load((const float *)a->keys + index / 2 + d)
                              : count < LANES ? load_part_cached(dtype, a->keys, index, d, count)
                                              : load_cached(dtype, a->keys, index, d);
                }
            }
            transpose(rows);
            for (size_t i = 0; i < count; i++) { store(keys + (d + i) * CHUNK + first, rows[i]); }
        }
    }
}

/// Writes the chunk's values, widened to `[64, padded]`. Rows outside of its range are not written and must not be
/// read. Prefetches the keys of `next` on the way.
INLINE void gather_values(quire_dtype dtype, const quire_attention *a, const chunk *c, const chunk *next,
                          size_t padded, float *values) {
    for (size_t j = c->range.begin; j < c->range.end; j++) {
        fetch_row(dtype, a, a->keys, next, j);
        for (size_t d = 0; d < padded; d += LANES) {
            size_t count = smaller(a->head_size - d, LANES);
            f32x16 part = count < LANES ? load_part_cached(dtype, a->values, c->index[j], d, count)
                                        : load_cached(dtype, a->values, c->index[j], d);
            store(values + j * padded + d, part);
        }
    }
}

#endif
