// Two digits as a number of 16 bits, for instruction sets that multiply and add two of those a lane at once.
#ifndef QUIRE_DIGIT_PAIRS_H
#define QUIRE_DIGIT_PAIRS_H

/// Numbers of an integer: the first has one digit or two, the second the third digit.
enum { PARTS = (DIGITS + 1) / 2 };

/// 32 inputs of a row.
typedef struct slice_digits {
    float scale;
    /// Sums of the inputs, as the digits say them: of both halves, and of all.
    float half_sums[2], sum;
    /// Of each part words of two neighbours.
    int32_t words[PARTS][16];
} slice_digits;

typedef int16_t i16x16 __attribute__((ext_vector_type(16)));

/// The parts of sixteen numbers from number `first` of a slice on; returns their sum.
INLINE int32_t put_digits(f32x16 numbers, float inverse, size_t first, slice_digits *y) {
    i32x16 rest = __builtin_convertvector(__builtin_elementwise_roundeven(numbers * splat(inverse)), i32x16);
    int32_t sum = __builtin_reduce_add(rest);
    UNROLL for (size_t p = PARTS; p-- > 0;) {
        i32x16 part = p > 0 ? ((rest + 64) & 127) - 64 : rest;
        i16x16 narrow = __builtin_convertvector(part, i16x16);
        memcpy((int16_t *)y->words[p] + first, &narrow, sizeof narrow);
        rest = (rest - part) >> DIGIT_BITS;
    }
    return sum;
}

#endif
