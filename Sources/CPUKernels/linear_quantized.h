// y = x · weightsᵀ + bias for quantized weights: few rows multiply while they unpack, many share unpacked weights.
//
// Both do the same arithmetic: in a group one chain over its slices on the integers that quanta are, then
// `total = offset · sum of x + (scale · chain + total)`, group after group. So a row's result does not depend on how many
// come with it. What a slice adds to its chain is said by `quantized_floats.h`, or by `quantized_digits.h` for a file that
// defines DIGITS.
#ifndef QUIRE_LINEAR_QUANTIZED_H
#define QUIRE_LINEAR_QUANTIZED_H

#include "quantized_scales.h"
#include "tile_finish.h"

#ifdef DIGITS
#include "quantized_digits.h"
#else
#include "quantized_floats.h"
#endif

/// Takes a finished chain of a group into a total.
INLINE f32x16 add_group(group_scale s, f32x16 chain, float sum, f32x16 total) {
    f32x16 scaled = s.scale * chain + total;
    return s.offset * splat(sum) + scaled;
}

/// Where the results of a panel go: `columns` of each row of `y`.
typedef struct panel_outputs {
    float *y;
    size_t stride, columns;
    /// NULL: none is added.
    const float *bias;
} panel_outputs;

#include "linear_quantized_block.h"
#include "linear_quantized_rows.h"

INLINE void quantized_linear_of(size_t bits, const quire_quantized *q, const void *packed, const void *x,
                                size_t x_stride, float *y, size_t y_stride, size_t m, const float *bias,
                                size_t panel_begin, size_t panel_end) {
    panel_shape shape = shape_of(q);
    quantized_input in;
    for (size_t row = 0, rows; row < m; row += rows) {
        rows = smaller(m - row, block_rows(&shape));
        const char *first = (const char *)x + row * x_stride * INPUT_BYTES;
        prepare_input(&shape, first, x_stride, rows, &in);
        for (size_t p = panel_begin; p < panel_end; p++) {
            const char *panel = (const char *)packed + p * shape.panel_bytes;
            size_t column = p * quire_panel_width;
            panel_outputs out = {y + row * y_stride + column, y_stride, q->n - column, bias ? bias + column : NULL};
            if (rows > FEW_ROWS) {
                many_rows(bits, rows, &shape, panel, &in, &out);
            } else {
                few_rows(bits, rows, &shape, panel, &in, &out);
            }
        }
    }
}

static void linear_quantized(const quire_quantized *q, const void *packed, const void *x, size_t x_stride, float *y,
                             size_t y_stride, size_t m, const float *bias, size_t panel_begin, size_t panel_end) {
#define CASE(bits)                                                                                              \
    case bits: quantized_linear_of(bits, q, packed, x, x_stride, y, y_stride, m, bias, panel_begin, panel_end); break;
    switch (q->bits) {
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
        CASE(8)
    }
#undef CASE
}

#endif
