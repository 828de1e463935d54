// Activations of three limbs with AVX512_VNNI.
#define LIMBS 3
#define QUIRE_LIMB_KERNELS quire_int24_vnni
#include "limbs_vnni.h"
