// Attention over a paged cache, with the softmax taken chunk by chunk (Dao et al., arXiv 2205.14135).
//
// A chunk is 64 positions, and its borders are multiples of 64 of the *absolute* position: a query meets the same
// chunks in the same order whatever the block size, its neighbours in the call, or the way the prompt was cut.
// A chunk's keys are transposed to `[head_size, 64]` and its values widened to `[64, padded]`, once for all rows;
// then scores and weighted values are matrix products of register tiles.
#ifndef QUIRE_ATTENTION_H
#define QUIRE_ATTENTION_H

#include "linear.h"
#include "scratch.h"
#include "transpose.h"

enum { CHUNK_VECTORS = CHUNK / LANES };

/// A row is one query head of one query token; it sees positions `begin ..< end`.
typedef struct visible_range {
    size_t begin, end;
} visible_range;

INLINE visible_range visible_positions(const quire_attention *a, size_t position) {
    size_t end = position + 1;
    size_t begin = a->sliding_window && a->sliding_window < end ? end - a->sliding_window : 0;
    return (visible_range){begin, end};
}

/// The part of it in the chunk at `start`, counted from there; empty: begin == end.
INLINE visible_range range_in_chunk(visible_range all, size_t start) {
    size_t begin = all.begin > start ? all.begin - start : 0;
    size_t end = all.end > start ? smaller(all.end - start, CHUNK) : 0;
    return begin < end ? (visible_range){begin, end} : (visible_range){0, 0};
}

/// Element index of this head's vector for positions `range` of the chunk at `start`, through the block table.
static void locate(const quire_attention *a, size_t kv_head, size_t start, visible_range range, size_t *index) {
    size_t block = (start + range.begin) / a->block_size, offset = (start + range.begin) % a->block_size;
    for (size_t j = range.begin; j < range.end; j++) {
        size_t slot = (size_t)a->block_table[block] * a->block_size + offset;
        index[j] = (slot * a->kv_head_count + kv_head) * a->head_size;
        offset += 1;
        if (offset == a->block_size) {
            offset = 0;
            block += 1;
        }
    }
}

/// Keys of `range` to `keys[head_size, 64]`; columns outside of it are zero.
INLINE void gather_keys(quire_dtype dtype, const void *cache, const size_t *index, visible_range range,
                        size_t head_size, float *keys) {
    for (size_t first = 0; first < CHUNK; first += LANES) {
        for (size_t d = 0; d < head_size; d += LANES) {
            size_t count = smaller(head_size - d, LANES);
            f32x16 rows[LANES];
            if (count == LANES && first >= range.begin && first + LANES <= range.end) {
                UNROLL for (size_t j = 0; j < LANES; j++) { rows[j] = load_as(dtype, cache, index[first + j] + d); }
            } else {
                for (size_t j = 0; j < LANES; j++) {
                    size_t position = first + j;
                    int seen = position >= range.begin && position < range.end;
                    rows[j] = !seen           ? splat(0)
                              : count < LANES ? load_part_as(dtype, cache, index[position] + d, count)
                                              : load_as(dtype, cache, index[position] + d);
                }
            }
            transpose(rows);
            if (count == LANES) {
                UNROLL for (size_t i = 0; i < LANES; i++) { store(keys + (d + i) * CHUNK + first, rows[i]); }
            } else {
                for (size_t i = 0; i < count; i++) { store(keys + (d + i) * CHUNK + first, rows[i]); }
            }
        }
    }
}

/// Values of `range` to `values[64, padded]`; rows outside of it are left as they are and must not be read.
INLINE void gather_values(quire_dtype dtype, const void *cache, const size_t *index, visible_range range,
                          size_t head_size, size_t padded, float *values) {
    for (size_t j = range.begin; j < range.end; j++) {
        for (size_t d = 0; d < padded; d += LANES) {
            size_t count = smaller(head_size - d, LANES);
            f32x16 part = count < LANES ? load_part_as(dtype, cache, index[j] + d, count)
                                        : load_as(dtype, cache, index[j] + d);
            store(values + j * padded + d, part);
        }
    }
}

/// Prefetches what the next chunk will read of a cache.
INLINE void fetch_rows(const char *cache, const size_t *index, visible_range range, size_t element_size,
                       size_t head_size) {
    for (size_t j = range.begin; j < range.end; j++) {
        const char *row = cache + index[j] * element_size;
        for (size_t byte = 0; byte < head_size * element_size; byte += 64) { __builtin_prefetch(row + byte, 0, 2); }
    }
}

INLINE void product_tile(size_t rows, size_t vectors, const float *x, size_t x_stride, const float *w,
                         size_t w_stride, size_t k, int accumulate, float *y, size_t y_stride) {
    accumulators acc;
    tile_zero(rows, vectors, acc);
    if (accumulate) {
        UNROLL for (size_t r = 0; r < rows; r++) {
            UNROLL for (size_t v = 0; v < vectors; v++) { acc[r][v] = load(y + r * y_stride + v * LANES); }
        }
    }
    tile_multiply(quire_dtype_f32, rows, vectors, x, x_stride, w, w_stride, k, acc);
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++) { store(y + r * y_stride + v * LANES, acc[r][v]); }
    }
}

INLINE void product_rows(size_t rows, size_t vectors, const float *x, size_t x_stride, const float *w,
                         size_t w_stride, size_t k, int accumulate, float *y, size_t y_stride, size_t columns) {
    size_t at = 0;
    for (; at + vectors * LANES <= columns; at += vectors * LANES) {
        product_tile(rows, vectors, x, x_stride, w + at, w_stride, k, accumulate, y + at, y_stride);
    }
    for (; at < columns; at += LANES) {
        product_tile(rows, 1, x, x_stride, w + at, w_stride, k, accumulate, y + at, y_stride);
    }
}

/// `y = x · w`, or `y += x · w`; `columns` is a multiple of 16.
static void product(const float *x, size_t x_stride, const float *w, size_t w_stride, size_t k, int accumulate,
                    float *y, size_t y_stride, size_t m, size_t columns) {
    for (size_t row = 0; row < m;) {
        size_t blocks = (m - row + TILE_ROWS - 1) / TILE_ROWS;
        size_t rows = (m - row + blocks - 1) / blocks;
        const float *from = x + row * x_stride;
        float *to = y + row * y_stride;
#define PRODUCT_CASE(R, V)                                                                                      \
    case R: product_rows(R, V, from, x_stride, w, w_stride, k, accumulate, to, y_stride, columns); break
        switch (rows) {
            PRODUCT_CASE(1, PANEL_VECTORS);
            PRODUCT_CASE(2, TILE_VECTORS);
            PRODUCT_CASE(3, TILE_VECTORS);
#if TILE_ROWS > 3
            PRODUCT_CASE(4, TILE_VECTORS);
            PRODUCT_CASE(5, TILE_VECTORS);
            PRODUCT_CASE(6, TILE_VECTORS);
#endif
        }
#undef PRODUCT_CASE
        row += rows;
    }
}

/// Turns a row's raw scores of one chunk into weights, and brings its running maximum, sum and output up to date.
static void soften(const quire_attention *a, visible_range range, float *scores, float *maximum, float *sum,
                   float *output, size_t padded) {
    const i32x16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    f32x16 values[CHUNK_VECTORS];
    UNROLL for (size_t v = 0; v < CHUNK_VECTORS; v++) {
        f32x16 x = load(scores + v * LANES) * splat(a->scale);
        if (a->soft_cap > 0) {
            x = tanh_of(x / splat(a->soft_cap)) * splat(a->soft_cap);
        }
        i32x16 position = lane + (int32_t)(v * LANES);
        x = blend(position >= (i32x16)(int32_t)range.begin, x, splat(-INFINITY));
        values[v] = blend(position < (i32x16)(int32_t)range.end, x, splat(-INFINITY));
    }
    float largest = max_of(larger(larger(values[0], values[1]), larger(values[2], values[3])));
    float previous = *maximum;
    largest = previous > largest ? previous : largest;
    f32x16 partial[CHUNK_VECTORS];
    UNROLL for (size_t v = 0; v < CHUNK_VECTORS; v++) {
        partial[v] = exp_of(values[v] - splat(largest));
        store(scores + v * LANES, partial[v]);
    }
    float added = sum_of((partial[0] + partial[1]) + (partial[2] + partial[3]));
    if (previous == largest) {
        *sum += added;
        return;
    }
    f32x16 factor = exp_of(splat(previous) - splat(largest));
    *sum = *sum * factor[0] + added;
    *maximum = largest;
    for (size_t d = 0; d < padded; d += LANES) { store(output + d, load(output + d) * factor); }
}

/// One chunk for all rows of the call.
static void attend_chunk(const quire_attention *a, size_t query_count, size_t first_position, size_t start,
                         const attention_scratch *s) {
    size_t row_count = query_count * a->group, row = 0;
    while (row < row_count) {
        visible_range range = range_in_chunk(visible_positions(a, first_position + row / a->group), start);
        // Rows that see the same part of the chunk go through the products together.
        size_t next = row + a->group;
        while (next < row_count) {
            visible_range other = range_in_chunk(visible_positions(a, first_position + next / a->group), start);
            if (other.begin != range.begin || other.end != range.end) {
                break;
            }
            next += a->group;
        }
        size_t rows = next - row;
        if (range.begin < range.end) {
            float *scores = s->scores + row * CHUNK, *output = s->outputs + row * s->padded;
            product(s->queries + row * a->head_size, a->head_size, s->keys, CHUNK, a->head_size, 0, scores, CHUNK,
                    rows, CHUNK);
            for (size_t r = 0; r < rows; r++) {
                soften(a, range, scores + r * CHUNK, s->maxima + row + r, s->sums + row + r,
                       output + r * s->padded, s->padded);
            }
            product(scores + range.begin, CHUNK, s->values + range.begin * s->padded, s->padded,
                    range.end - range.begin, 1, output, s->padded, rows, s->padded);
        }
        row = next;
    }
}

INLINE void attend(quire_dtype dtype, const quire_attention *a, size_t kv_head, const float *query,
                   size_t query_stride, size_t query_count, size_t first_position, float *output,
                   size_t output_stride, float *scratch) {
    attention_scratch s = attention_scratch_in(scratch, query_count, a->group, a->head_size);
    size_t row_count = query_count * a->group;
    for (size_t t = 0; t < query_count; t++) {
        memcpy(s.queries + t * a->group * a->head_size, query + t * query_stride,
               a->group * a->head_size * sizeof(float));
    }
    memset(s.outputs, 0, row_count * s.padded * sizeof(float));
    for (size_t r = 0; r < row_count; r++) {
        s.maxima[r] = -INFINITY;
        s.sums[r] = 0;
    }

    visible_range all = {visible_positions(a, first_position).begin, first_position + query_count};
    size_t index[2][CHUNK];
    size_t start = all.begin / CHUNK * CHUNK;
    visible_range range = range_in_chunk(all, start);
    locate(a, kv_head, start, range, index[0]);
    fetch_rows(a->keys, index[0], range, byte_size(dtype), a->head_size);
    for (size_t chunk = 0; start < all.end; chunk++, start += CHUNK) {
        const size_t *here = index[chunk % 2];
        fetch_rows(a->values, here, range, byte_size(dtype), a->head_size);
        gather_keys(dtype, a->keys, here, range, a->head_size, s.keys);
        visible_range next = range_in_chunk(all, start + CHUNK);
        if (next.begin < next.end) {
            locate(a, kv_head, start + CHUNK, next, index[(chunk + 1) % 2]);
            fetch_rows(a->keys, index[(chunk + 1) % 2], next, byte_size(dtype), a->head_size);
        }
        gather_values(dtype, a->values, here, range, a->head_size, s.padded, s.values);
        attend_chunk(a, query_count, first_position, start, &s);
        range = next;
    }

    for (size_t r = 0; r < row_count; r++) {
        float *to = output + r / a->group * output_stride + r % a->group * a->head_size;
        f32x16 factor = splat(1.0f) / splat(s.sums[r]);
        for (size_t d = 0; d < a->head_size; d += LANES) {
            store_some(to + d, load(s.outputs + r * s.padded + d) * factor, a->head_size - d);
        }
    }
}

static void paged_attention(const quire_attention *a, size_t kv_head, const float *query, size_t query_stride,
                            size_t query_count, size_t first_position, float *output, size_t output_stride,
                            float *scratch) {
    if (query_count == 0) {
        return;
    }
#define ATTEND(dtype)                                                                                           \
    attend(dtype, a, kv_head, query, query_stride, query_count, first_position, output, output_stride, scratch)
    switch (a->cache_dtype) {
        case quire_dtype_f32: ATTEND(quire_dtype_f32); break;
        case quire_dtype_f16: ATTEND(quire_dtype_f16); break;
        case quire_dtype_bf16: ATTEND(quire_dtype_bf16); break;
    }
#undef ATTEND
}

#endif
