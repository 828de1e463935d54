// Integers of two bytes.
#define DIGITS 2
#define QUIRE_DIGIT_KERNELS quire_int16_kernels
#include "linear_digits.h"
