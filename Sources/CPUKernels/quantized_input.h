// What the quantized products keep of a call's input rows: where they lie, and the sums of their groups.
#ifndef QUIRE_QUANTIZED_INPUT_H
#define QUIRE_QUANTIZED_INPUT_H

#include "numbers.h"
#include "quantized_layout.h"

/// Rows that are taken through a panel together, and inputs that are unpacked at a time for them.
enum { BLOCK_ROWS = 192, BLOCK_INPUTS = 128, MAX_SUMS = 2 * quire_max_group_count };

typedef struct quantized_input {
    const char *x;
    /// Bytes from row to row.
    size_t stride;
    /// Of floats: inputs in whole slices, and those of the last slice where it is not whole, with zeros behind its end.
    size_t whole_inputs;
    _Alignas(64) float tails[BLOCK_ROWS][32];
    /// [rows, groups]
    float sums[MAX_SUMS];
} quantized_input;

/// How many rows fit into one `quantized_input`.
INLINE size_t block_rows(const panel_shape *s) { return smaller(BLOCK_ROWS, MAX_SUMS / s->groups); }

#endif
