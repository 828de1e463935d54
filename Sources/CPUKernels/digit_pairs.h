// Two digits as a number of 16 bits, for instruction sets that multiply and add two of those a lane at once.
#ifndef QUIRE_DIGIT_PAIRS_H
#define QUIRE_DIGIT_PAIRS_H

// The first number is one digit or two, the second is the third digit. The two inputs of a word are neighbours.
enum { WORD_INPUTS = 2, NUMBERS = (DIGITS + 1) / 2 };

typedef int16_t i16x16 __attribute__((ext_vector_type(16)));

/// Sixteen inputs' numbers from input `first` of a slice on.
INLINE void put_numbers(i32x16 numbers, int32_t *words, size_t first) {
    i16x16 halves = __builtin_convertvector(numbers, i16x16);
    memcpy((int16_t *)words + first, &halves, sizeof halves);
}

#endif
