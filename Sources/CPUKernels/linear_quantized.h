// y = x · weightsᵀ + bias for quantized weights: a GEMV for few rows, which multiplies codes while it unpacks them,
// and a GEMM for many rows, which share unpacked codes.
//
// Both do the same arithmetic. Within a group there is one chain of sums over its slices, on the integers that codes
// are. Then follows `total = offset · sum of x + (scale · chain + total)`, group after group. So a row's result does
// not depend on the number of rows. What a slice adds to its chain is defined in `quantized_floats.h`, or for
// activations of limbs by the file that includes `limbs.h`.
#ifndef QUIRE_LINEAR_QUANTIZED_H
#define QUIRE_LINEAR_QUANTIZED_H

#include "quantized_codes.h"
#include "tile.h"

#ifndef LIMBS
#include "quantized_floats.h"
#endif

/// Adds the finished chain of a group to a total.
INLINE f32x16 add_group(group_scale s, f32x16 chain, float sum, f32x16 total) {
    f32x16 scaled = s.scale * chain + total;
    return s.offset * splat(sum) + scaled;
}

/// The destination of a panel's results: `columns` numbers of each row of `y`.
typedef struct panel_outputs {
    float *y;
    size_t stride, columns;
    /// NULL: none is added.
    const float *bias;
} panel_outputs;

#include "quantized_gemm.h"

// GEMV: one panel for a few rows. Each group is multiplied with all rows and outputs before the next, so that memory
// is read in order.

/// The most rows of a GEMV. With more, it is less work to unpack once for all of them.
enum { GEMV_ROWS = 3 * TILE_ROWS };

/// Multiplies `rows` rows from `row` on with a group. `totals`: [rows, 64].
INLINE void gemv_tile(code_kind kind, size_t rows, size_t vectors, const panel_shape *shape, const quantized_group *g,
                     const quantized_input *in, size_t row, float *totals) {
    size_t inputs = kind.inputs, bytes = slice_bytes(kind);
    const float *sums = in->sums + row * shape->groups + g->index;
    // Not unrolled, as that would need too many registers.
    _Pragma("clang loop unroll(disable)")
    for (size_t lane = 0; lane < quire_panel_width; lane += vectors * LANES) {
        accumulators acc;
        tile_zero(rows, vectors, acc);
        for (size_t s = 0; s < g->slices; s++) {
            const char *slice = g->codes + s * bytes;
            // Each vector of outputs prefetches a part of the next slices: the hardware does not predict the order of
            // reads, one vector of a slice after the other.
            size_t part = bytes / PANEL_VECTORS;
            fetch_ahead(row == 0, slice + lane / LANES * part, vectors * part);
            input_rows x = slice_rows(in, row, g->index * shape->matrix->group_size + s * inputs, inputs);
            multiply_slice(kind, shape->matrix, rows, vectors, slice, lane, x, acc);
        }
        UNROLL for (size_t v = 0; v < vectors; v++) {
            group_scale scale = group_scale_at(shape->matrix, g, lane + v * LANES);
            UNROLL for (size_t r = 0; r < rows; r++) {
                float *total = totals + r * quire_panel_width + lane + v * LANES;
                store(total, add_group(scale, acc[r][v], sums[r * shape->groups], load(total)));
            }
        }
    }
}

INLINE void gemv_panel(code_kind kind, size_t rows, const panel_shape *shape, const char *panel,
                       const quantized_input *in, const panel_outputs *out) {
    _Alignas(64) float totals[GEMV_ROWS * quire_panel_width];
    memset(totals, 0, rows * quire_panel_width * sizeof(float));
    for (quantized_group g = first_group(shape, panel);; g = next_group(shape, g)) {
        for (size_t row = 0, tile; row < rows; row += tile) {
            tile = next_rows(rows - row);
#define CASE(R, V) gemv_tile(kind, R, SLICE_VECTORS(R, V), shape, &g, in, row, totals + row * quire_panel_width)
            FOR_ROW_COUNT(tile, CASE)
#undef CASE
        }
        if (g.index + 1 == shape->groups) {
            break;
        }
    }
    for (size_t r = 0; r < rows; r++) {
        for (size_t lane = 0; lane < quire_panel_width && lane < out->columns; lane += LANES) {
            f32x16 total = load(totals + r * quire_panel_width + lane);
            size_t count = out->columns - lane;
            f32x16 result = out->bias ? total + load_some(out->bias + lane, count) : total;
            store_some(out->y + r * out->stride + lane, result, count);
        }
    }
}

INLINE void quantized_linear_of(code_kind kind, const quire_quantized *q, const void *panels, const void *x,
                                size_t x_stride, float *y, size_t y_stride, size_t m, const float *bias,
                                size_t panel_begin, size_t panel_end) {
    panel_shape shape = shape_of(q);
    quantized_input in;
    for (size_t row = 0, rows; row < m; row += rows) {
        rows = smaller(m - row, block_rows(&shape));
        const char *first = (const char *)x + row * x_stride * INPUT_BYTES;
        prepare_input(&shape, first, x_stride, rows, &in);
        for (size_t p = panel_begin; p < panel_end; p++) {
            const char *panel = (const char *)panels + p * shape.panel_bytes;
            size_t column = p * quire_panel_width;
            panel_outputs out = {y + row * y_stride + column, y_stride, q->n - column, bias ? bias + column : NULL};
            if (rows > GEMV_ROWS) {
                gemm_panel(kind, rows, &shape, panel, &in, &out);
            } else {
                gemv_panel(kind, rows, &shape, panel, &in, &out);
            }
        }
    }
}

// One function for each kind: registers of one that had all kinds would be allocated slowly and badly.
#define DEFINE(bits, inputs, values)                                                                            \
    __attribute__((noinline, unused)) static void linear_##bits##_##inputs##_##values(                          \
        const quire_quantized *q, const void *panels, const void *x, size_t x_stride, float *y, size_t y_stride, \
        size_t m, const float *bias, size_t panel_begin, size_t panel_end) {                                    \
        quantized_linear_of((code_kind){bits, inputs, values}, q, panels, x, x_stride, y, y_stride, m, bias,    \
                            panel_begin, panel_end);                                                            \
    }
FOR_CODE_KINDS(DEFINE)
#undef DEFINE

__attribute__((unused))
static void linear_quantized(const quire_quantized *q, const void *panels, const void *x, size_t x_stride, float *y,
                             size_t y_stride, size_t m, const float *bias, size_t panel_begin, size_t panel_end) {
#define CASE(bits, inputs, values)                                                                              \
    case CODE_KIND(bits, inputs, values):                                                                       \
        linear_##bits##_##inputs##_##values(q, panels, x, x_stride, y, y_stride, m, bias, panel_begin, panel_end); \
        break;
    switch (CODE_KIND(q->bits, slice_inputs(q), (size_t)q->values)) { FOR_CODE_KINDS(CASE) }
#undef CASE
}

#ifndef LIMBS
static void linear_float8(const quire_quantized *q, const void *panels, const void *x, size_t x_stride, float *y,
                          size_t y_stride, size_t m, const float *bias, size_t panel_begin, size_t panel_end) {
    quantized_linear_of((code_kind){8, 32, quire_values_float8}, q, panels, x, x_stride, y, y_stride, m, bias,
                        panel_begin, panel_end);
}
#endif

#endif
