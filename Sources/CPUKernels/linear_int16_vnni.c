// Integers of two bytes, by AVX512_VNNI.
#define DIGITS 2
#define QUIRE_DIGIT_KERNELS quire_int16_vnni
#include "linear_digits_vnni.h"
