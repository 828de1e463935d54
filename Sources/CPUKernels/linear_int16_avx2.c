// Integers of two bytes, by AVX2, and of one: what multiplies numbers of 16 bits does not ask how much of them is used.
#define DIGITS 2
#define QUIRE_DIGIT_KERNELS quire_int16_avx2
#define QUIRE_BYTE_KERNELS quire_int8_avx2
#include "linear_digits_avx2.h"
