// Integers of three bytes, by AVX2.
#define DIGITS 3
#define QUIRE_DIGIT_KERNELS quire_int24_avx2
#include "linear_digits_avx2.h"
