// Quanta as bytes, multiplied with rows of digits (`digits.h`): VNNI multiplies and adds four bytes a lane at once.
//
// All sums of a slice are exact integers, so kernels may form them as they like; what they become in a chain is the same.
#ifndef QUIRE_QUANTIZED_DIGITS_H
#define QUIRE_QUANTIZED_DIGITS_H

#include "digits.h"
#include "quantized_bytes.h"
#include "quantized_input.h"
#include "tile.h"

// One row reads as fast as the hardware asks by itself.
#define FETCHES(R) ((R) > 1)
// One vector at a time where rows are several: the sums of their digits fill the registers.
#define SLICE_VECTORS(R, V) ((R) * DIGITS > 4 ? 1 : (V))
#define BLOCK_VECTORS(R, V) 1

enum { INPUT_BYTES = sizeof(slice_digits), QUANTUM_BYTES = 1 };

INLINE void prepare_input(const panel_shape *s, const void *x, size_t x_stride, size_t rows, quantized_input *in) {
    in->x = x;
    in->stride = x_stride * sizeof(slice_digits);
    size_t count = (s->matrix->k + 31) / 32, slices = s->matrix->group_size / 32;
    for (size_t r = 0; r < rows; r++) {
        const slice_digits *row = (const slice_digits *)(in->x + r * in->stride);
        for (size_t g = 0; g < s->groups; g++) {
            float sum = 0;
            for (size_t i = g * slices; i < (g + 1) * slices && i < count; i++) { sum += row[i].sum; }
            in->sums[r * s->groups + g] = slices > 0 ? sum : row[g / 2].half_sums[g % 2];
        }
    }
}

/// Rows at the slice that is to be multiplied.
typedef struct input_rows {
    const char *first;
    /// Bytes from row to row.
    size_t stride;
    /// Where in each digit's words it begins: a slice of sixteen inputs is half a record.
    size_t word;
} input_rows;

INLINE input_rows slice_rows(const quantized_input *in, size_t row, size_t input) {
    return (input_rows){in->x + row * in->stride + input / 32 * sizeof(slice_digits), in->stride, input % 32 / 4};
}

INLINE const slice_digits *digits_of(input_rows x, size_t row) {
    return (const slice_digits *)(x.first + row * x.stride);
}

/// `sum + quanta · digits` of four inputs.
INLINE i32x16 add_products(i32x16 sum, u32x16 quanta, int32_t digits) {
    return (i32x16)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)quanta, _mm512_set1_epi32(digits));
}

/// The chain with what a slice's sums add to it.
INLINE f32x16 add_slice(const i32x16 sums[DIGITS], float scale, f32x16 chain) {
    i32x16 last = sums[DIGITS - 1];
    if (DIGITS > 1) {
        last += sums[DIGITS > 1 ? DIGITS - 2 : 0] * (1 << DIGIT_BITS);
    }
    f32x16 products = __builtin_convertvector(last, f32x16);
    if (DIGITS > 2) {
        // The first digit's share is more than an integer holds.
        products = __builtin_convertvector(sums[0], f32x16) * splat(1 << 2 * DIGIT_BITS) + products;
    }
    return splat(scale) * products + chain;
}

INLINE void multiply_slice(size_t bits, size_t rows, size_t vectors, size_t inputs, const char *slice, size_t lane,
                           input_rows x, accumulators acc) {
    i32x16 sums[MAX_ROWS][PANEL_VECTORS][DIGITS] = {0};
    UNROLL for (size_t step = 0; step < inputs / STEP; step++) {
        UNROLL for (size_t v = 0; v < vectors; v++) {
            byte_words quanta = step_bytes(bits, load_step(bits, inputs, slice, step, lane + v * LANES));
            UNROLL for (size_t word = 0; word < 2; word++) {
                UNROLL for (size_t r = 0; r < rows; r++) {
                    UNROLL for (size_t d = 0; d < DIGITS; d++) {
                        int32_t digits = digits_of(x, r)->words[d][x.word + 2 * step + word];
                        sums[r][v][d] = add_products(sums[r][v][d], quanta.words[word], digits);
                    }
                }
            }
        }
    }
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++) {
            acc[r][v] = add_slice(sums[r][v], digits_of(x, r)->scale, acc[r][v]);
        }
    }
}

/// To [inputs / 4, 64, 4].
INLINE void unpack_slice(size_t bits, size_t inputs, const char *slice, void *unpacked) {
    for (size_t step = 0; step < inputs / STEP; step++) {
        for (size_t lane = 0; lane < quire_panel_width; lane += LANES) {
            byte_words quanta = step_bytes(bits, load_step(bits, inputs, slice, step, lane));
            UNROLL for (size_t word = 0; word < 2; word++) {
                size_t place = (2 * step + word) * quire_panel_width + lane;
                *(u32x16_anywhere *)((uint32_t *)unpacked + place) = quanta.words[word];
            }
        }
    }
}

INLINE void multiply_unpacked(size_t rows, size_t vectors, size_t inputs, const void *unpacked, size_t lane,
                              input_rows x, accumulators acc) {
    UNROLL for (size_t v = 0; v < vectors; v++) {
        i32x16 sums[MAX_ROWS][DIGITS] = {0};
        for (size_t word = 0; word < inputs / 4; word++) {
            const uint32_t *from = (const uint32_t *)unpacked + word * quire_panel_width + lane + v * LANES;
            u32x16 quanta = *(const u32x16_anywhere *)from;
            UNROLL for (size_t r = 0; r < rows; r++) {
                UNROLL for (size_t d = 0; d < DIGITS; d++) {
                    sums[r][d] = add_products(sums[r][d], quanta, digits_of(x, r)->words[d][x.word + word]);
                }
            }
        }
        UNROLL for (size_t r = 0; r < rows; r++) {
            acc[r][v] = add_slice(sums[r], digits_of(x, r)->scale, acc[r][v]);
        }
    }
}

#endif
