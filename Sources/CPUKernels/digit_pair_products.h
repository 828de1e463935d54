// Products of quanta and digits by AVX2, which multiplies and adds two numbers of 16 bits a lane: for eight bits a quantum as
// for two, and for two digits as for one.
#ifndef QUIRE_DIGIT_PAIR_PRODUCTS_H
#define QUIRE_DIGIT_PAIR_PRODUCTS_H

#include "quantized_quanta.h"

// A vector after the other is no order that the hardware would foresee.
#define FETCHES(R) 1
// The sums of sixteen outputs take two registers, of which there are sixteen.
#define SLICE_VECTORS(R, V) 1
#define BLOCK_VECTORS(R, V) 1

/// Quanta of pair `pair` of the step's inputs, of 16 bits each.
INLINE u32x16 step_pairs(size_t bits, step_words w, uint32_t pair) {
    switch (bits) {
        case 2: return w.low >> 2 * pair & 0x00030003;
        case 3: return (w.low >> 2 * pair & 0x00030003) | (w.high >> pair & 0x00010001) << 2;
        case 5: return (w.low >> 4 * pair & 0x000f000f) | (w.high >> pair & 0x00010001) << 4;
        case 6: return (w.low >> 4 * pair & 0x000f000f) | (w.high >> 2 * pair & 0x00030003) << 4;
        case 8: return (pair < 2 ? w.low : w.high) >> 8 * (pair % 2) & 0x00ff00ff;
        default: return w.low >> 4 * pair & 0x000f000f;
    }
}

/// `sum + quanta · digits` of two inputs. A slice's sum fits: 32 times 255 times 127 · 2^7 are 2^27.
INLINE i32x16 add_products(i32x16 sum, u32x16 quanta, int32_t digits) {
    __m256i two = _mm256_set1_epi32(digits);
    union {
        i32x16 whole;
        __m256i halves[2];
    } products = {.whole = (i32x16)quanta};
    UNROLL for (size_t half = 0; half < 2; half++) {
        products.halves[half] = _mm256_madd_epi16(products.halves[half], two);
    }
    return sum + products.whole;
}

/// The chain with what a slice's sums add to it.
INLINE f32x16 add_slice(const i32x16 sums[NUMBERS], float scale, f32x16 chain) {
    f32x16 products = __builtin_convertvector(sums[NUMBERS - 1], f32x16);
    if (NUMBERS > 1) {
        products = __builtin_convertvector(sums[0], f32x16) * splat(1 << DIGIT_BITS) + products;
    }
    return splat(scale) * products + chain;
}

INLINE void multiply_slice(size_t bits, size_t rows, size_t vectors, size_t inputs, const char *slice, size_t lane,
                           input_rows x, accumulators acc) {
    UNROLL for (size_t v = 0; v < vectors; v++) {
        i32x16 sums[MAX_ROWS][NUMBERS] = {0};
        UNROLL for (size_t step = 0; step < inputs / STEP; step++) {
            step_words words = load_step(bits, inputs, slice, step, lane + v * LANES);
            UNROLL for (uint32_t pair = 0; pair < STEP / 2; pair++) {
                u32x16 quanta = step_pairs(bits, words, pair);
                UNROLL for (size_t r = 0; r < rows; r++) {
                    UNROLL for (size_t n = 0; n < NUMBERS; n++) {
                        int32_t digits = digits_of(x, r)->words[n][x.input / 2 + step * STEP / 2 + pair];
                        sums[r][n] = add_products(sums[r][n], quanta, digits);
                    }
                }
            }
        }
        UNROLL for (size_t r = 0; r < rows; r++) {
            acc[r][v] = add_slice(sums[r], digits_of(x, r)->scale, acc[r][v]);
        }
    }
}

/// To [inputs / 2, 64, 2].
INLINE void unpack_slice(size_t bits, size_t inputs, const char *slice, void *unpacked) {
    for (size_t step = 0; step < inputs / STEP; step++) {
        for (size_t lane = 0; lane < quire_panel_width; lane += LANES) {
            step_words words = load_step(bits, inputs, slice, step, lane);
            UNROLL for (uint32_t pair = 0; pair < STEP / 2; pair++) {
                size_t place = (step * STEP / 2 + pair) * quire_panel_width + lane;
                *(u32x16_anywhere *)((uint32_t *)unpacked + place) = step_pairs(bits, words, pair);
            }
        }
    }
}

#endif
