// A tile's results, with the bias, to where they belong.
#ifndef QUIRE_TILE_FINISH_H
#define QUIRE_TILE_FINISH_H

#include "tile.h"

/// Writes the first `columns` outputs of `tile[rows, 64]`. Apart, so that the loops above keep their registers.
__attribute__((noinline)) static void finish_part(size_t rows, const float *tile, float *y, size_t y_stride,
                                                  size_t columns, const float *bias) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < columns; i++) {
            float value = tile[r * quire_panel_width + i];
            y[r * y_stride + i] = bias ? value + bias[i] : value;
        }
    }
}

/// Writes a tile's outputs, of which `columns` exist.
INLINE void tile_finish(size_t rows, size_t vectors, accumulators acc, float *y, size_t y_stride, size_t columns,
                        const float *bias) {
    if (columns < vectors * LANES) {
        float tile[MAX_ROWS * quire_panel_width];
        UNROLL for (size_t r = 0; r < rows; r++) {
            UNROLL for (size_t v = 0; v < vectors; v++) { store(tile + r * quire_panel_width + v * LANES, acc[r][v]); }
        }
        finish_part(rows, tile, y, y_stride, columns, bias);
        return;
    }
    UNROLL for (size_t v = 0; v < vectors; v++) {
        f32x16 addend = bias ? load(bias + v * LANES) : splat(0);
        UNROLL for (size_t r = 0; r < rows; r++) {
            f32x16 result = bias ? acc[r][v] + addend : acc[r][v];
            store(y + r * y_stride + v * LANES, result);
        }
    }
}

#endif
