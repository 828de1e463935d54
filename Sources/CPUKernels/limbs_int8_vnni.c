// Activations of one limb with AVX512_VNNI.
#define LIMBS 1
#define QUIRE_LIMB_KERNELS quire_int8_vnni
#include "limbs_vnni.h"
