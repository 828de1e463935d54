// The tables, one a file `isa_*.c`.
#ifndef QUIRE_TABLES_H
#define QUIRE_TABLES_H

#include "CPUKernels.h"

extern const quire_kernels quire_table_portable;
#if defined(__x86_64__)
extern const quire_kernels quire_table_avx2;
extern const quire_kernels quire_table_avx512;
extern const quire_kernels quire_table_avx512vnni;
extern const quire_kernels quire_table_avx512bf16;
extern const quire_digit_kernels quire_int8_avx2, quire_int16_avx2, quire_int24_avx2;
extern const quire_digit_kernels quire_int8_vnni, quire_int16_vnni, quire_int24_vnni;

/// What integers bring to a table, multiplied by AVX2 or AVX512_VNNI: in files `linear_int*.c`.
#define QUIRE_PRODUCTS_OF_DIGITS(by)                                                                            \
    .linear_int8 = &quire_int8_##by, .linear_int16 = &quire_int16_##by, .linear_int24 = &quire_int24_##by
#endif

#endif
