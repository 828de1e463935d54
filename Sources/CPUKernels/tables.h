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
extern const quire_digit_kernels quire_int8_kernels;
extern const quire_digit_kernels quire_int16_kernels;
extern const quire_digit_kernels quire_int24_kernels;

/// What AVX512_VNNI brings to a table, one file `linear_int*.c` each.
#define QUIRE_PRODUCTS_OF_BYTES                                                                                 \
    .linear_int8 = &quire_int8_kernels, .linear_int16 = &quire_int16_kernels, .linear_int24 = &quire_int24_kernels
#endif

#endif
