// Integers of one byte, by AVX512_VNNI.
#define DIGITS 1
#define QUIRE_DIGIT_KERNELS quire_int8_vnni
#include "linear_digits_vnni.h"
