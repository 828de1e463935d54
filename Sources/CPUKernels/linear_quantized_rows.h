// One panel for a few rows, which multiply while they unpack: a group for all rows and outputs, so that memory is read
// in order.
#ifndef QUIRE_LINEAR_QUANTIZED_ROWS_H
#define QUIRE_LINEAR_QUANTIZED_ROWS_H

/// Rows that come this way: with more, unpacking once for all is less work.
enum { FEW_ROWS = 3 * TILE_ROWS };

/// Takes `rows` rows from `row` on through a group. `totals`: [rows, 64].
INLINE void few_tile(size_t bits, size_t rows, size_t vectors, const panel_shape *shape, const quantized_group *g,
                     const quantized_input *in, size_t row, float *totals) {
    size_t inputs = slice_inputs(bits), bytes = inputs * bits * quire_panel_width / 8;
    const float *sums = in->sums + row * shape->groups + g->index;
    // A loop, as unrolled it would keep too much in registers.
    _Pragma("clang loop unroll(disable)")
    for (size_t lane = 0; lane < quire_panel_width; lane += vectors * LANES) {
        accumulators acc;
        tile_zero(rows, vectors, acc);
        for (size_t s = 0; s < g->slices; s++) {
            const char *slice = g->quanta + s * bytes;
            // Each vector of outputs asks for a part of what comes.
            size_t part = bytes / PANEL_VECTORS;
            fetch_ahead(row == 0 && FETCHES(rows), slice + lane / LANES * part, vectors * part);
            input_rows x = slice_rows(in, row, g->index * shape->matrix->group_size + s * inputs);
            multiply_slice(bits, rows, vectors, inputs, slice, lane, x, acc);
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

INLINE void few_rows(size_t bits, size_t rows, const panel_shape *shape, const char *panel, const quantized_input *in,
                     const panel_outputs *out) {
    _Alignas(64) float totals[FEW_ROWS * quire_panel_width];
    memset(totals, 0, rows * quire_panel_width * sizeof(float));
    for (quantized_group g = first_group(shape, panel);; g = next_group(shape, g)) {
        for (size_t row = 0, tile; row < rows; row += tile) {
            tile = next_rows(rows - row);
#define CASE(R, V) few_tile(bits, R, SLICE_VECTORS(R, V), shape, &g, in, row, totals + row * quire_panel_width)
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

#endif
