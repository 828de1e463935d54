// The parts of the scratch memory of a paged_attention call.
#ifndef QUIRE_ATTENTION_SCRATCH_H
#define QUIRE_ATTENTION_SCRATCH_H

#include "CPUKernels.h"

/// Positions that are processed together; also the columns of a score tile.
enum { CHUNK = 64 };

typedef struct attention_scratch {
    /// head_size, rounded up to a multiple of 16.
    size_t padded;
    /// [padded, 64]
    float *keys;
    /// [64, padded]
    float *values;
    /// [rows, head_size]
    float *queries;
    /// [rows, 64]
    float *scores;
    /// [rows, padded], not yet divided by the sums.
    float *outputs;
    /// [rows] each.
    float *maxima, *sums;
} attention_scratch;

static inline size_t padded_head_size(size_t head_size) { return (head_size + 15) / 16 * 16; }

static inline attention_scratch attention_scratch_in(float *memory, size_t query_count, size_t group,
                                                     size_t head_size) {
    size_t rows = query_count * group;
    attention_scratch s;
    s.padded = padded_head_size(head_size);
    s.keys = memory;
    s.values = s.keys + s.padded * CHUNK;
    s.scores = s.values + s.padded * CHUNK;
    s.outputs = s.scores + rows * CHUNK;
    s.queries = s.outputs + rows * s.padded;
    s.maxima = s.queries + rows * head_size;
    s.sums = s.maxima + rows;
    return s;
}

#endif
