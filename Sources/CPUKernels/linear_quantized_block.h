// One panel for many rows: inputs are unpacked a block at a time, and all rows read them from there.
#ifndef QUIRE_LINEAR_QUANTIZED_BLOCK_H
#define QUIRE_LINEAR_QUANTIZED_BLOCK_H

/// Room for what all rows share and for their sums.
typedef struct row_block {
    /// [BLOCK_INPUTS, 64] of f32, or [BLOCK_INPUTS / 2, 64, 2] of bf16.
    _Alignas(64) float unpacked[BLOCK_INPUTS * quire_panel_width];
    /// [64] each: those of the group under way.
    float scales[quire_panel_width], offsets[quire_panel_width];
    /// [rows, 64]: the chain of the group under way, where it is longer than a block.
    float chains[BLOCK_ROWS * quire_panel_width];
    /// [rows, 64]
    float totals[BLOCK_ROWS * quire_panel_width];
} row_block;

/// Slices of one group that are unpacked: inputs from `input` on.
typedef struct unpacked_slices {
    size_t group, input, count;
    /// Whether the group begins, and ends, with them.
    int is_first, is_last;
} unpacked_slices;

/// Unpacks a slice.
INLINE void unpack_floats(size_t bits, size_t inputs, const char *slice, float *unpacked) {
    for (size_t step = 0; step < inputs / STEP; step++) {
        for (size_t lane = 0; lane < quire_panel_width; lane += LANES) {
            step_words words = load_step(bits, inputs, slice, step, lane);
            UNROLL for (size_t i = 0; i < STEP; i++) {
                store(unpacked + (step * STEP + i) * quire_panel_width + lane, step_floats(bits, words, i));
            }
        }
    }
}

/// Takes `rows` rows from `row` on through unpacked slices of `inputs` each.
INLINE void block_tile(size_t rows, size_t vectors, size_t inputs, size_t groups, const unpacked_slices *slices,
                       const quantized_input *in, row_block *block, size_t row) {
    for (size_t lane = 0; lane < quire_panel_width; lane += vectors * LANES) {
        size_t place = row * quire_panel_width + lane;
        accumulators acc;
        if (slices->is_first) {
            tile_zero(rows, vectors, acc);
        } else {
            tile_load(rows, vectors, block->chains + place, quire_panel_width, acc);
        }
        const char *unpacked = (const char *)block->unpacked;
        for (size_t s = 0; s < slices->count; s++) {
            input_rows x = slice_rows(ACTIVATION, in, row, slices->input + s * inputs);
            if (NARROW) {
                multiply_pairs(rows, vectors, x, unpacked, lane, inputs, acc);
            } else {
                tile_multiply(quire_dtype_f32, rows, vectors, (const float *)x.first, x.stride / sizeof(float),
                              (const float *)unpacked + lane, quire_panel_width, inputs, 0, acc);
            }
            unpacked += inputs * quire_panel_width * byte_size(ACTIVATION);
        }
        if (!slices->is_last) {
            tile_store(rows, vectors, acc, block->chains + place, quire_panel_width);
            continue;
        }
        UNROLL for (size_t v = 0; v < vectors; v++) {
            size_t at = lane + v * LANES;
            group_scale scale = {load(block->scales + at), load(block->offsets + at)};
            UNROLL for (size_t r = 0; r < rows; r++) {
                float *total = block->totals + (row + r) * quire_panel_width + at;
                store(total, add_group(scale, acc[r][v], in->sums[(row + r) * groups + slices->group], load(total)));
            }
        }
    }
}

/// The same for all rows of the block. One function for all sizes of quanta, as nothing here depends on them.
__attribute__((noinline)) static void block_tiles(size_t rows, size_t inputs, size_t groups,
                                                  const unpacked_slices *slices, const quantized_input *in,
                                                  row_block *block) {
    for (size_t row = 0, tile; row < rows; row += tile) {
        tile = next_rows(rows - row);
#define CASE(R, V) block_tile(R, V, inputs, groups, slices, in, block, row)
        FOR_ROW_COUNT(tile, CASE)
#undef CASE
    }
}

INLINE void many_rows(size_t bits, size_t rows, const panel_shape *shape, const char *panel, const quantized_input *in,
                      float *y, size_t y_stride, size_t columns, const float *bias) {
    row_block block;
    size_t inputs = slice_inputs(bits), bytes = inputs * bits * quire_panel_width / 8;
    size_t unpacked_bytes = inputs * quire_panel_width * byte_size(ACTIVATION);
    memset(block.totals, 0, rows * quire_panel_width * sizeof(float));
    quantized_group g = first_group(shape, panel);
    while (1) {
        for (size_t lane = 0; lane < quire_panel_width; lane += LANES) {
            group_scale scale = group_scale_at(shape->matrix, &g, lane);
            store(block.scales + lane, scale.scale);
            store(block.offsets + lane, scale.offset);
        }
        for (size_t first = 0, count; first < g.slices; first += count) {
            count = smaller(BLOCK_INPUTS / inputs, g.slices - first);
            char *unpacked = (char *)block.unpacked;
            for (size_t s = first; s < first + count; s++, unpacked += unpacked_bytes) {
                if (NARROW) {
                    unpack_pairs(bits, inputs, g.quanta + s * bytes, unpacked);
                } else {
                    unpack_floats(bits, inputs, g.quanta + s * bytes, (float *)unpacked);
                }
            }
            unpacked_slices slices = {
                .group = g.index,
                .input = g.index * shape->matrix->group_size + first * inputs,
                .count = count,
                .is_first = first == 0,
                .is_last = first + count == g.slices,
            };
            block_tiles(rows, inputs, shape->groups, &slices, in, &block);
        }
        if (g.index + 1 == shape->groups) {
            break;
        }
        g = next_group(shape, g);
    }
    for (size_t r = 0; r < rows; r++) {
        const float *totals = block.totals + r * quire_panel_width;
        for (size_t lane = 0; lane < quire_panel_width && lane < columns; lane += LANES) {
            f32x16 total = load(totals + lane);
            size_t count = columns - lane;
            store_some(y + r * y_stride + lane, bias ? total + load_some(bias + lane, count) : total, count);
        }
    }
}

#endif
