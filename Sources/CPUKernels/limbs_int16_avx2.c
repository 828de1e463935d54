// Activations of two limbs with AVX2, and of one: products of 16-bit integers take the same time for both.
#define LIMBS 2
#define QUIRE_LIMB_KERNELS quire_int16_avx2
#define QUIRE_INT8_KERNELS quire_int8_avx2
#include "limbs_avx2.h"
