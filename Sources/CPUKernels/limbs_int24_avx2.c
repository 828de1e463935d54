// Activations of three limbs with AVX2.
#define LIMBS 3
#define QUIRE_LIMB_KERNELS quire_int24_avx2
#include "limbs_avx2.h"
