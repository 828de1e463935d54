// Quanta multiplied with rows of digits (`digits.h`), as the file says that QUIRE_DIGIT_PRODUCTS names.
//
// All sums of a slice are exact integers, so kernels may form them as they like; what they become in a chain is the same.
#ifndef QUIRE_QUANTIZED_DIGITS_H
#define QUIRE_QUANTIZED_DIGITS_H

#include "digits.h"
#include "quantized_input.h"
#include "tile.h"

enum { INPUT_BYTES = sizeof(slice_digits), QUANTUM_BYTES = 4 / WORD_INPUTS };

INLINE void prepare_input(const panel_shape *s, const void *x, size_t x_stride, size_t rows, quantized_input *in) {
    in->x = x;
    in->stride = x_stride * sizeof(slice_digits);
    size_t count = (s->matrix->k + 31) / 32, slices = s->matrix->group_size / 32;
    for (size_t r = 0; r < rows; r++) {
        const slice_digits *row = (const slice_digits *)(in->x + r * in->stride);
        float *sums = in->sums + r * s->groups;
        if (slices == 1) {
            // Most of GGUF's formats: nothing to add, and a loop that asks each time would be seen.
            for (size_t g = 0; g < s->groups; g++) { sums[g] = row[g].sum; }
            continue;
        }
        for (size_t g = 0; g < s->groups; g++) {
            float sum = 0;
            for (size_t i = g * slices; i < (g + 1) * slices && i < count; i++) { sum += row[i].sum; }
            sums[g] = slices > 0 ? sum : row[g / 2].half_sums[g % 2];
        }
    }
}

/// Rows at the slice that is to be multiplied.
typedef struct input_rows {
    const char *first;
    /// Bytes from row to row.
    size_t stride;
    /// The first of its inputs: a slice of sixteen is half a record.
    size_t input;
} input_rows;

INLINE input_rows slice_rows(const quantized_input *in, size_t row, size_t input) {
    return (input_rows){in->x + row * in->stride + input / 32 * sizeof(slice_digits), in->stride, input % 32};
}

INLINE const slice_digits *digits_of(input_rows x, size_t row) {
    return (const slice_digits *)(x.first + row * x.stride);
}

#include QUIRE_DIGIT_PRODUCTS

INLINE void multiply_unpacked(size_t rows, size_t vectors, size_t inputs, const void *unpacked, size_t lane,
                              input_rows x, accumulators acc) {
    UNROLL for (size_t v = 0; v < vectors; v++) {
        i32x16 sums[MAX_ROWS][NUMBERS] = {0};
        for (size_t word = 0; word < inputs / WORD_INPUTS; word++) {
            const uint32_t *from = (const uint32_t *)unpacked + word * quire_panel_width + lane + v * LANES;
            u32x16 quanta = *(const u32x16_anywhere *)from;
            UNROLL for (size_t r = 0; r < rows; r++) {
                UNROLL for (size_t n = 0; n < NUMBERS; n++) {
                    int32_t digits = digits_of(x, r)->words[n][x.input / WORD_INPUTS + word];
                    sums[r][n] = add_products(sums[r][n], quanta, digits);
                }
            }
        }
        UNROLL for (size_t r = 0; r < rows; r++) {
            acc[r][v] = add_slice(sums[r], digits_of(x, r)->scale, acc[r][v]);
        }
    }
}

#endif
