// One panel for many rows: inputs are unpacked a block at a time, and all rows read them from there.
#ifndef QUIRE_LINEAR_QUANTIZED_BLOCK_H
#define QUIRE_LINEAR_QUANTIZED_BLOCK_H

/// Room for what all rows share and for their sums.
typedef struct row_block {
    /// [BLOCK_INPUTS, 64] of f32, or [BLOCK_INPUTS / 2, 64, 2] of bf16.
    _Alignas(64) float unpacked[BLOCK_INPUTS * quire_panel_width];
    /// [rows, 64]: the chain of the group under way, where it is longer than a block.
    float chains[BLOCK_ROWS * quire_panel_width];
    /// [rows, 64]
    float totals[BLOCK_ROWS * quire_panel_width];
} row_block;

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

/// Takes `rows` rows from `row` on through the slices of `g` from `first` to `last`, which are unpacked.
INLINE void block_tile(size_t rows, size_t vectors, const quire_quantized *q, const quantized_group *g,
                       const quantized_input *in, row_block *block, size_t row, size_t first, size_t last) {
    size_t inputs = slice_size(q), unpacked_bytes = inputs * quire_panel_width * (NARROW ? 2 : 4);
    for (size_t lane = 0; lane < quire_panel_width; lane += vectors * LANES) {
        size_t place = row * quire_panel_width + lane;
        accumulators acc;
        if (first == 0) {
            tile_zero(rows, vectors, acc);
        } else {
            tile_load(rows, vectors, block->chains + place, quire_panel_width, acc);
        }
        const char *unpacked = (const char *)block->unpacked;
        for (size_t s = first; s < last; s++, unpacked += unpacked_bytes) {
            input_rows x = slice_rows(q, in, row, g->index * q->group_size + s * inputs);
            if (NARROW) {
                multiply_pairs(rows, vectors, x, unpacked, lane, inputs, acc);
            } else {
                tile_multiply(quire_dtype_f32, rows, vectors, (const float *)x.first, x.stride / sizeof(float),
                              (const float *)unpacked + lane, quire_panel_width, inputs, 0, acc);
            }
        }
        if (last < g->slices) {
            tile_store(rows, vectors, acc, block->chains + place, quire_panel_width);
            continue;
        }
        accumulators totals;
        tile_load(rows, vectors, block->totals + place, quire_panel_width, totals);
        add_group(q, g, in->sums + row * group_count(q), rows, vectors, lane, acc, totals);
        tile_store(rows, vectors, totals, block->totals + place, quire_panel_width);
    }
}

/// The same for all rows of the block. One function for all sizes of quanta, as nothing here depends on them.
__attribute__((noinline)) static void block_tiles(size_t rows, const quire_quantized *q, const quantized_group *g,
                                                  const quantized_input *in, row_block *block, size_t first,
                                                  size_t last) {
    for (size_t row = 0, tile; row < rows; row += tile) {
        tile = next_rows(rows - row);
#define CASE(R, V) block_tile(R, V, q, g, in, block, row, first, last)
        FOR_ROW_COUNT(tile, CASE)
#undef CASE
    }
}

INLINE void many_rows(size_t bits, size_t rows, const quire_quantized *q, const char *panel,
                      const quantized_input *in, float *y, size_t y_stride, size_t columns, const float *bias) {
    row_block block;
    size_t inputs = slice_inputs(bits), bytes = slice_bytes(q), slices = BLOCK_INPUTS / inputs;
    size_t unpacked_bytes = inputs * quire_panel_width * (NARROW ? 2 : 4);
    memset(block.totals, 0, rows * quire_panel_width * sizeof(float));
    quantized_group g = first_group(q, panel);
    while (1) {
        for (size_t first = 0, last; first < g.slices; first = last) {
            last = smaller(first + slices, g.slices);
            char *unpacked = (char *)block.unpacked;
            for (size_t s = first; s < last; s++, unpacked += unpacked_bytes) {
                if (NARROW) {
                    unpack_pairs(bits, inputs, g.quanta + s * bytes, unpacked);
                } else {
                    unpack_floats(bits, inputs, g.quanta + s * bytes, (float *)unpacked);
                }
            }
            block_tiles(rows, q, &g, in, &block, first, last);
        }
        if (g.index + 1 == group_count(q)) {
            break;
        }
        g = next_group(q, g);
    }
    for (size_t r = 0; r < rows; r++) {
        finish_part(1, block.totals + r * quire_panel_width, y + r * y_stride, y_stride,
                    smaller(columns, quire_panel_width), bias);
    }
}

#endif
