// Integers of three bytes.
#define DIGITS 3
#define QUIRE_DIGIT_KERNELS quire_int24_kernels
#include "linear_digits.h"
