// Attention over a paged cache, with the softmax taken chunk by chunk (Dao et al., arXiv 2205.14135).
//
// A chunk is 64 positions, and its borders are multiples of 64 of the *absolute* position: a query meets the same
// chunks in the same order whatever the block size, its neighbours in the call, or the way the prompt was cut.
#ifndef QUIRE_ATTENTION_H
#define QUIRE_ATTENTION_H

#include "attention_chunk.h"
#include "attention_products.h"
#include "attention_scratch.h"

enum { CHUNK_VECTORS = CHUNK / LANES };

/// Turns a row's raw scores of one chunk into weights, and updates its running maximum, sum and output.
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

/// Rows `row ..< row + rows`, all of which see `range` of the chunk.
INLINE void attend_rows(quire_dtype dtype, const quire_attention *a, const chunk *c, visible_range range, size_t row,
                        size_t rows, int direct, const attention_scratch *s) {
    float *scores = s->scores + row * CHUNK, *output = s->outputs + row * s->padded;
    score(keys_stay_pairs(dtype, a->head_size), s->queries + row * a->head_size, s->keys, a->head_size, scores, rows);
    for (size_t r = 0; r < rows; r++) {
        soften(a, range, scores + r * CHUNK, s->maxima + row + r, s->sums + row + r, output + r * s->padded,
               s->padded);
    }
    if (direct) {
        weigh_cached(dtype, scores, a->values, c, range, output, s->padded, rows);
    } else {
        weigh(scores + range.begin, s->values + range.begin * s->padded, range.end - range.begin, output, s->padded,
              rows);
    }
}

/// One chunk for all rows of the call; a row is one query head of one query token.
INLINE void attend_chunk(quire_dtype dtype, const quire_attention *a, size_t query_count, size_t first_position,
                         const chunk *c, int direct, const attention_scratch *s) {
    size_t row_count = query_count * a->group, row = 0;
    while (row < row_count) {
        visible_range range = range_in_chunk(visible_positions(a, first_position + row / a->group), c->start);
        // Rows that see the same part of the chunk share the products.
        size_t next = row + a->group;
        while (next < row_count) {
            visible_range other = range_in_chunk(visible_positions(a, first_position + next / a->group), c->start);
            if (other.begin != range.begin || other.end != range.end) {
                break;
            }
            next += a->group;
        }
        if (range.begin < range.end) {
            attend_rows(dtype, a, c, range, row, next - row, direct, s);
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
        // A sink is as if it had been seen before the first position, with a value of zeros.
        s.maxima[r] = a->sinks ? a->sinks[kv_head * a->group + r % a->group] : -INFINITY;
        s.sums[r] = a->sinks ? 1 : 0;
    }

    // Few rows use each value once and read it directly from the cache. Many rows share a widened copy.
    int direct = row_count <= TILE_ROWS && a->head_size == s.padded;
    visible_range all = {visible_positions(a, first_position).begin, first_position + query_count};
    chunk chunks[2];
    chunk *here = &chunks[0], *next = &chunks[1];
    locate(a, kv_head, all, all.begin / CHUNK * CHUNK, here);
    fetch_keys(dtype, a, here);
    while (here->range.begin < here->range.end) {
        locate(a, kv_head, all, here->start + CHUNK, next);
        gather_keys(dtype, a, here, s.keys);
        if (direct) {
            fetch_keys(dtype, a, next);
        } else {
            gather_values(dtype, a, here, next, s.padded, s.values);
        }
        attend_chunk(dtype, a, query_count, first_position, here, direct, &s);
        chunk *free = here;
        here = next;
        next = free;
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
        case quire_dtype_int8: ATTEND(quire_dtype_int8); break;
    }
#undef ATTEND
}

#endif
