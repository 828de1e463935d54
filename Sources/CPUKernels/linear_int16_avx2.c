// Integers of two bytes, by AVX2.
#define DIGITS 2
#define QUIRE_DIGIT_KERNELS quire_int16_avx2
#include "linear_digits_avx2.h"
