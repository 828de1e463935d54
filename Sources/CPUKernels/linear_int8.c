// Integers of one byte.
#define DIGITS 1
#define QUIRE_DIGIT_KERNELS quire_int8_kernels
#include "linear_digits.h"
