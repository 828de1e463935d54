// Activations as integers: 32 inputs of a row times one scale.
//
// An integer has DIGITS digits (a file that includes this defines it: 1 to 3), which are signed bytes, each worth 128 of the
// next. The file that QUIRE_DIGIT_RECORDS names says which numbers are made of them, and how these lie.
#ifndef QUIRE_DIGITS_H
#define QUIRE_DIGITS_H

#include "vector.h"

enum { DIGIT_BITS = 7, LARGEST = 127 << (DIGIT_BITS * (DIGITS - 1)) };

#include QUIRE_DIGIT_RECORDS

/// 32 inputs of a row.
typedef struct slice_digits {
    float scale;
    /// Sums of the inputs, as the digits say them: of both halves, and of all.
    float half_sums[2], sum;
    /// Of each number, the most significant first, words of WORD_INPUTS inputs.
    int32_t words[NUMBERS][32 / WORD_INPUTS];
} slice_digits;

/// Digits of sixteen inputs from input `first` of a slice on; returns their sum.
INLINE int32_t put_digits(f32x16 inputs, float inverse, size_t first, slice_digits *y) {
    i32x16 rest = __builtin_convertvector(__builtin_elementwise_roundeven(inputs * splat(inverse)), i32x16);
    int32_t sum = __builtin_reduce_add(rest);
    UNROLL for (size_t n = NUMBERS; n-- > 0;) {
        i32x16 numbers = n > 0 ? ((rest + 64) & 127) - 64 : rest;
        put_numbers(numbers, y->words[n], first);
        rest = (rest - numbers) >> DIGIT_BITS;
    }
    return sum;
}

/// The largest of the numbers becomes `most`. Not a number among them makes all of the slice's not a number.
INLINE void put_slice(f32x16 low, f32x16 high, int32_t most, slice_digits *y) {
    // The bits of positive numbers are in the numbers' order, and infinity and NaN are above all others.
    u32x16 l = bits_of(low) & 0x7fffffff, h = bits_of(high) & 0x7fffffff;
    uint32_t bits = __builtin_reduce_max(__builtin_elementwise_max(l, h));
    float largest = __builtin_bit_cast(float, bits);
    int is_finite = bits < 0x7f800000;
    // Below, the quotient would not be finite; such numbers are zeros.
    int is_zero = largest < 1e-30f;
    if (!is_finite || is_zero) {
        memset(y, 0, sizeof *y);
        float nothing = is_finite ? 0 : NAN;
        y->scale = y->half_sums[0] = y->half_sums[1] = y->sum = nothing;
        return;
    }
    float inverse = (float)most / largest;
    y->scale = largest * (1 / (float)most);
    int32_t first = put_digits(low, inverse, 0, y), second = put_digits(high, inverse, 16, y);
    y->half_sums[0] = (float)first * y->scale;
    y->half_sums[1] = (float)second * y->scale;
    y->sum = (float)(first + second) * y->scale;
}

INLINE void digits_up_to(int32_t most, const float *x, size_t x_stride, const int32_t *order, void *y, size_t y_stride,
                         size_t rows, size_t width) {
    for (size_t r = 0; r < rows; r++) {
        const float *row = x + r * x_stride;
        slice_digits *record = (slice_digits *)y + r * y_stride;
        for (size_t i = 0; i < width; i += 32, record++) {
            size_t count = smaller(width - i, 32);
            const float *from = row + i;
            float gathered[32];
            if (order) {
                for (size_t j = 0; j < count; j++) { gathered[j] = row[order[i + j]]; }
                from = gathered;
            }
            f32x16 high = count > LANES ? load_some(from + LANES, count - LANES) : splat(0);
            put_slice(load_some(from, count), high, most, record);
        }
    }
}

static void digits_from_f32(const float *x, size_t x_stride, const int32_t *order, void *y, size_t y_stride, size_t rows,
                            size_t width) {
    digits_up_to(LARGEST, x, x_stride, order, y, y_stride, rows, width);
}

#endif
