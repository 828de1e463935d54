// Activations as integers, for devices that multiply and add four bytes at once (`packed_dot_columns`).
//
// The numbers of a slice are integers of DIGITS digits times one scale: a digit is a signed byte, the most significant
// first, each worth 128 of the next. A slice of a row is a record of RECORD uvec4: for each digit 8 words of 4 numbers,
// then the scale, the sums of both halves of the slice and the sum of all of it. Byte j of word w is the number that
// byte j of word w of the weights is: with 2 and 4 bits those lie INTERLEAVE apart, so that a mask unpacks them.

#define SLICE 32
#define RECORD (2 * DIGITS + 1)
#define DIGIT_BITS 7
#define LARGEST float(127 << (DIGIT_BITS * (DIGITS - 1)))
