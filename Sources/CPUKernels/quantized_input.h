// What the quantized products need of their input rows beside the rows: sums of groups, and a last slice with zeros
// behind its end.
#ifndef QUIRE_QUANTIZED_INPUT_H
#define QUIRE_QUANTIZED_INPUT_H

#include "numbers.h"
#include "quantized_layout.h"

/// Rows that are taken through a panel together, and inputs that are unpacked at a time for them.
enum { BLOCK_ROWS = 192, BLOCK_INPUTS = 128, MAX_SUMS = 2 * quire_max_group_count };

/// Rows of f32 or bf16, as the caller knows.
typedef struct quantized_input {
    const char *x;
    /// Bytes from row to row.
    size_t stride;
    /// Inputs in whole slices.
    size_t whole_inputs;
    /// [rows, 32]: inputs of the last slice where it is not whole.
    _Alignas(64) float tails[BLOCK_ROWS * 32];
    /// [rows, groups]
    float sums[MAX_SUMS];
} quantized_input;

/// How many rows fit into one `quantized_input`.
INLINE size_t block_rows(const panel_shape *s) { return smaller(BLOCK_ROWS, MAX_SUMS / s->groups); }

/// The sum of `count` inputs, always in the same order.
INLINE float input_sum(quire_dtype dtype, const char *x, size_t first, size_t count) {
    f32x16 sum = splat(0);
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) { sum += load_as(dtype, x, first + i); }
    if (i < count) {
        sum += load_part_as(dtype, x, first + i, count - i);
    }
    return sum_of(sum);
}

/// Fills `in` for `rows` rows.
INLINE void prepare_input(const panel_shape *s, quire_dtype dtype, const void *x, size_t x_stride, size_t rows,
                          quantized_input *in) {
    const quire_quantized *q = s->matrix;
    size_t size = byte_size(dtype), groups = s->groups, inputs = slice_inputs(q->bits), tail = q->k % inputs;
    in->x = x;
    in->stride = x_stride * size;
    in->whole_inputs = q->k - tail;
    for (size_t r = 0; r < rows; r++) {
        const char *row = in->x + r * in->stride;
        for (size_t g = 0; g < groups; g++) {
            size_t first = g * q->group_size;
            in->sums[r * groups + g] = input_sum(dtype, row, first, smaller(q->group_size, q->k - first));
        }
        if (tail > 0) {
            char *padded = (char *)in->tails + r * 32 * size;
            memset(padded, 0, 32 * size);
            memcpy(padded, row + (q->k - tail) * size, tail * size);
        }
    }
}

typedef struct input_rows {
    const char *first;
    size_t stride;
} input_rows;

/// Rows from `row` on at the slice that begins with input `input`.
INLINE input_rows slice_rows(quire_dtype dtype, const quantized_input *in, size_t row, size_t input) {
    size_t size = byte_size(dtype);
    if (input >= in->whole_inputs) {
        return (input_rows){(const char *)in->tails + row * 32 * size, 32 * size};
    }
    return (input_rows){in->x + row * in->stride + input * size, in->stride};
}

#endif
