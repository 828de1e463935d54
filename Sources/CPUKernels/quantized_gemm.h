// GEMM: one panel for many rows. Codes are unpacked in blocks of inputs, and all rows read them from there.
#ifndef QUIRE_QUANTIZED_GEMM_H
#define QUIRE_QUANTIZED_GEMM_H

/// The most groups that are unpacked together.
enum { BLOCK_GROUPS = BLOCK_INPUTS / 16 };

/// What all rows share, and their sums.
typedef struct gemm_block {
    /// BLOCK_INPUTS inputs of 64 outputs, as `unpack_slice` leaves them.
    _Alignas(64) char unpacked[BLOCK_INPUTS * quire_panel_width * CODE_BYTES];
    /// [groups, 64] each, of the unpacked groups.
    float scales[BLOCK_GROUPS * quire_panel_width], offsets[BLOCK_GROUPS * quire_panel_width];
    /// [rows, 64]: the unfinished chain of a group that is longer than a block.
    float chains[BLOCK_ROWS * quire_panel_width];
    /// [rows, 64]
    float totals[BLOCK_ROWS * quire_panel_width];
} gemm_block;

/// The unpacked inputs: whole groups of one length, or a part of a group that is longer than a block.
typedef struct unpacked_groups {
    /// The first group and the first input.
    size_t first, input;
    size_t count;
    /// Slices of each.
    size_t slices;
    /// Whether these slices begin their group, and whether they end it.
    int is_first, is_last;
} unpacked_groups;

/// Multiplies `rows` rows from `row` on with the unpacked groups. Totals stay in registers: a group of 32 inputs has
/// so few products that a load and a store of its total would cost measurable time.
INLINE void gemm_tile(size_t rows, size_t vectors, size_t inputs, size_t groups, const unpacked_groups *unpacked,
                       const quantized_input *in, gemm_block *block, size_t row, const panel_outputs *out) {
    for (size_t lane = 0; lane < quire_panel_width; lane += vectors * LANES) {
        size_t index = row * quire_panel_width + lane;
        accumulators totals;
        if (unpacked->first == 0 && unpacked->is_first) {
            tile_zero(rows, vectors, totals);
        } else {
            tile_load(rows, vectors, block->totals + index, quire_panel_width, totals);
        }
        const char *slice = block->unpacked;
        size_t input = unpacked->input;
        for (size_t g = 0; g < unpacked->count; g++) {
            accumulators acc;
            if (unpacked->is_first) {
                tile_zero(rows, vectors, acc);
            } else {
                tile_load(rows, vectors, block->chains + index, quire_panel_width, acc);
            }
            for (size_t s = 0; s < unpacked->slices; s++, input += inputs) {
                multiply_unpacked(rows, vectors, inputs, slice, lane, slice_rows(in, row, input, inputs), acc);
                slice += inputs * quire_panel_width * CODE_BYTES;
            }
            if (!unpacked->is_last) {
                tile_store(rows, vectors, acc, block->chains + index, quire_panel_width);
                continue;
            }
            const float *sums = in->sums + row * groups + unpacked->first + g;
            UNROLL for (size_t v = 0; v < vectors; v++) {
                size_t at = g * quire_panel_width + lane + v * LANES;
                group_scale scale = {load(block->scales + at), load(block->offsets + at)};
                UNROLL for (size_t r = 0; r < rows; r++) {
                    totals[r][v] = add_group(scale, acc[r][v], sums[r * groups], totals[r][v]);
                }
            }
        }
        if (!out) {
            tile_store(rows, vectors, totals, block->totals + index, quire_panel_width);
        } else if (lane < out->columns) {
            tile_finish(rows, vectors, totals, out->y + row * out->stride + lane, out->stride, out->columns - lane,
                        out->bias ? out->bias + lane : NULL);
        }
    }
}

/// The same for all rows of the block. Complete totals are written to `out` between products, which hide the time of
/// the stores.
INLINE void gemm_all_tiles(size_t rows, size_t inputs, size_t groups, const unpacked_groups *unpacked,
                           const quantized_input *in, gemm_block *block, const panel_outputs *out) {
    for (size_t row = 0, tile; row < rows; row += tile) {
        tile = next_rows(rows - row);
// Totals take as many registers as chains, so a tile has half the width.
#define CASE(R, V) gemm_tile(R, BLOCK_VECTORS(R, V), inputs, groups, unpacked, in, block, row, out)
        FOR_ROW_COUNT(tile, CASE)
#undef CASE
    }
}

// Only the length of a slice matters for unpacked codes, so two functions serve all kinds of them.
typedef void (*gemm_tiles_fn)(size_t rows, size_t groups, const unpacked_groups *unpacked, const quantized_input *in,
                              gemm_block *block, const panel_outputs *out);

__attribute__((noinline)) static void gemm_tiles_32(size_t rows, size_t groups, const unpacked_groups *unpacked,
                                                    const quantized_input *in, gemm_block *block,
                                                    const panel_outputs *out) {
    gemm_all_tiles(rows, 32, groups, unpacked, in, block, out);
}

__attribute__((noinline)) static void gemm_tiles_16(size_t rows, size_t groups, const unpacked_groups *unpacked,
                                                    const quantized_input *in, gemm_block *block,
                                                    const panel_outputs *out) {
    gemm_all_tiles(rows, 16, groups, unpacked, in, block, out);
}

/// Unpacks slices `first ..< first + count` of a group to `to`, and its scales to index `index`. Returns the end of
/// `to`.
INLINE char *unpack_group(code_kind kind, const panel_shape *shape, const quantized_group *g, size_t first,
                          size_t count, size_t index, char *to, gemm_block *block) {
    for (size_t lane = 0; lane < quire_panel_width; lane += LANES) {
        group_scale scale = group_scale_at(shape->matrix, g, lane);
        store(block->scales + index * quire_panel_width + lane, scale.scale);
        store(block->offsets + index * quire_panel_width + lane, scale.offset);
    }
    for (size_t s = first; s < first + count; s++) {
        unpack_slice(kind, shape->matrix, g->codes + s * slice_bytes(kind), to);
        to += kind.inputs * quire_panel_width * CODE_BYTES;
    }
    return to;
}

INLINE void gemm_panel(code_kind kind, size_t rows, const panel_shape *shape, const char *panel,
                       const quantized_input *in, const panel_outputs *out) {
    gemm_block block;
    gemm_tiles_fn tiles = kind.inputs == 16 ? gemm_tiles_16 : gemm_tiles_32;
    size_t inputs = kind.inputs, room = BLOCK_INPUTS / inputs, group_size = shape->matrix->group_size;
    quantized_group g = first_group(shape, panel);
    for (size_t next = 0; next < shape->groups;) {
        unpacked_groups unpacked = {.first = next, .input = next * group_size, .slices = g.slices};
        char *to = block.unpacked;
        if (g.slices <= room) {
            unpacked.is_first = unpacked.is_last = 1;
            do {
                to = unpack_group(kind, shape, &g, 0, g.slices, unpacked.count++, to, &block);
                next += 1;
                g = next < shape->groups ? next_group(shape, g) : g;
            } while (next < shape->groups && g.slices == unpacked.slices && (unpacked.count + 1) * g.slices <= room);
            tiles(rows, shape->groups, &unpacked, in, &block, next < shape->groups ? NULL : out);
            continue;
        }
        unpacked.count = 1;
        for (size_t first = 0; first < g.slices; first += unpacked.slices) {
            unpacked.slices = smaller(room, g.slices - first);
            unpacked.input = next * group_size + first * inputs;
            unpacked.is_first = first == 0;
            unpacked.is_last = first + unpacked.slices == g.slices;
            unpack_group(kind, shape, &g, first, unpacked.slices, 0, to, &block);
            int is_end = unpacked.is_last && next + 1 == shape->groups;
            tiles(rows, shape->groups, &unpacked, in, &block, is_end ? out : NULL);
        }
        next += 1;
        g = next < shape->groups ? next_group(shape, g) : g;
    }
}

#endif
