// Activations of two limbs with AVX512_VNNI.
#define LIMBS 2
#define QUIRE_LIMB_KERNELS quire_int16_vnni
#include "limbs_vnni.h"
