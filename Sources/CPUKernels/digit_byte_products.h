// Products of quanta and digits by AVX512_VNNI, which multiplies and adds four bytes a lane at once.
#ifndef QUIRE_DIGIT_BYTE_PRODUCTS_H
#define QUIRE_DIGIT_BYTE_PRODUCTS_H

#include "quantized_bytes.h"

// One row reads as fast as the hardware asks by itself.
#define FETCHES(R) ((R) > 1)
// One vector at a time where rows are several: the sums of their digits fill the registers.
#define SLICE_VECTORS(R, V) ((R) * DIGITS > 4 ? 1 : (V))
#define BLOCK_VECTORS(R, V) 1

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
                        int32_t digits = digits_of(x, r)->words[d][x.input / 4 + 2 * step + word];
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

#endif
