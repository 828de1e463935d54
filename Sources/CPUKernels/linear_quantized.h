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

/// Rows that multiply while they unpack: three tiles at most. Unpacking for all costs more than it saves so far.
enum { FEW_ROWS = 3 * TILE_ROWS };

/// One panel for a few rows.
INLINE void few_rows(size_t bits, size_t rows, size_t vectors, const panel_shape *shape, const char *panel,
                     const quantized_input *in, size_t row, float *y, size_t y_stride, size_t columns, const float *bias) {
    size_t inputs = slice_inputs(bits), bytes = inputs * bits * quire_panel_width / 8;
    size_t groups = shape->groups, group_size = shape->matrix->group_size;
    for (size_t lane = 0; lane < quire_panel_width && lane < columns; lane += vectors * LANES) {
        accumulators totals;
        tile_zero(rows, vectors, totals);
        quantized_group g = first_group(shape, panel);
        while (1) {
            accumulators acc;
            tile_zero(rows, vectors, acc);
            const char *slice = g.quanta;
            for (size_t s = 0; s < g.slices; s++, slice += bytes) {
                input_rows x = slice_rows(in, row, g.index * group_size + s * inputs);
                multiply_slice(bits, rows, vectors, inputs, slice, lane, x, row == 0 && lane == 0, acc);
            }
            UNROLL for (size_t v = 0; v < vectors; v++) {
                group_scale scale = group_scale_at(shape->matrix, &g, lane + v * LANES);
                UNROLL for (size_t r = 0; r < rows; r++) {
                    totals[r][v] = add_group(scale, acc[r][v], in->sums[(row + r) * groups + g.index], totals[r][v]);
                }
            }
            if (g.index + 1 == groups) {
                break;
            }
            g = next_group(shape, g);
        }
        tile_finish(rows, vectors, totals, y + lane, y_stride, columns - lane, bias ? bias + lane : NULL);
    }
}

#include "linear_quantized_block.h"

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
            size_t column = p * quire_panel_width, columns = q->n - column;
            float *to = y + row * y_stride + column;
            const float *panel_bias = bias ? bias + column : NULL;
            if (rows > FEW_ROWS) {
                many_rows(bits, rows, &shape, panel, &in, to, y_stride, columns, panel_bias);
                continue;
            }
            for (size_t first = 0, tile; first < rows; first += tile) {
                tile = next_rows(rows - first);
#define CASE(R, V)                                                                                              \
    few_rows(bits, R, SLICE_VECTORS(R, V), &shape, panel, &in, first, to + first * y_stride, y_stride, columns, panel_bias)
                FOR_ROW_COUNT(tile, CASE)
#undef CASE
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
