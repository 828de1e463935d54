// Digits as they are, for instruction sets that multiply and add four bytes a lane at once.
#ifndef QUIRE_DIGIT_BYTES_H
#define QUIRE_DIGIT_BYTES_H

/// 32 inputs of a row.
typedef struct slice_digits {
    float scale;
    /// Sums of the inputs, as the digits say them: of both halves, and of all.
    float half_sums[2], sum;
    /// Of each digit, the most significant first, words of four inputs, which are those that a step of packed weights gives at once: of each eight
    /// inputs 0, 4, 1, 5 and 2, 6, 3, 7.
    int32_t words[DIGITS][8];
} slice_digits;

/// Digits of sixteen numbers from number `first` of a slice on; returns their sum.
INLINE int32_t put_digits(f32x16 numbers, float inverse, size_t first, slice_digits *y) {
    i32x16 rest = __builtin_convertvector(__builtin_elementwise_roundeven(numbers * splat(inverse)), i32x16);
    int32_t sum = __builtin_reduce_add(rest);
    UNROLL for (size_t d = DIGITS; d-- > 0;) {
        i32x16 digit = d > 0 ? ((rest + 64) & 127) - 64 : rest;
        i8x16 bytes = __builtin_convertvector(digit, i8x16);
        bytes = __builtin_shufflevector(bytes, bytes, 0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
        memcpy((char *)y->words[d] + first, &bytes, sizeof bytes);
        rest = (rest - digit) >> DIGIT_BITS;
    }
    return sum;
}

#endif
