// The kernel tables, one for each instruction set (`isa_*.c`).
#ifndef QUIRE_TABLES_H
#define QUIRE_TABLES_H

#include "CPUKernels.h"

extern const quire_kernels quire_table_portable;
#if defined(__x86_64__)
extern const quire_kernels quire_table_avx2;
extern const quire_kernels quire_table_avx512;
extern const quire_kernels quire_table_avx512vnni;
extern const quire_kernels quire_table_avx512bf16;
extern const quire_limb_kernels quire_int8_avx2, quire_int16_avx2, quire_int24_avx2;
extern const quire_limb_kernels quire_int8_vnni, quire_int16_vnni, quire_int24_vnni;

/// The kernels for activations of limbs, with AVX2 or AVX512_VNNI (`limbs_*.c`).
#define QUIRE_INTEGER_PRODUCTS(by)                                                                            \
    .linear_int8 = &quire_int8_##by, .linear_int16 = &quire_int16_##by, .linear_int24 = &quire_int24_##by
#endif

#endif
