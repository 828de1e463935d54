// Digits as they are, for instruction sets that multiply and add four bytes a lane at once.
#ifndef QUIRE_DIGIT_BYTES_H
#define QUIRE_DIGIT_BYTES_H

// A number is a digit. The four inputs of a word are those that a step of packed weights gives at once: of each eight inputs
// 0, 4, 1, 5 and 2, 6, 3, 7.
enum { WORD_INPUTS = 4, NUMBERS = DIGITS };

/// Sixteen inputs' numbers from input `first` of a slice on.
INLINE void put_numbers(i32x16 numbers, int32_t *words, size_t first) {
    i8x16 bytes = __builtin_convertvector(numbers, i8x16);
    bytes = __builtin_shufflevector(bytes, bytes, 0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
    memcpy((char *)words + first, &bytes, sizeof bytes);
}

#endif
