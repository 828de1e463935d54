// Integers of one byte, by AVX2.
#define DIGITS 1
#define QUIRE_DIGIT_KERNELS quire_int8_avx2
#include "linear_digits_avx2.h"
