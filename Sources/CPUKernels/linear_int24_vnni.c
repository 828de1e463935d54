// Integers of three bytes, by AVX512_VNNI.
#define DIGITS 3
#define QUIRE_DIGIT_KERNELS quire_int24_vnni
#include "linear_digits_vnni.h"
