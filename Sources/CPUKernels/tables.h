// The tables, one a file `isa_*.c`.
#ifndef QUIRE_TABLES_H
#define QUIRE_TABLES_H

#include "CPUKernels.h"

extern const quire_kernels quire_table_portable;
#if defined(__x86_64__)
extern const quire_kernels quire_table_avx2;
extern const quire_kernels quire_table_avx512;
extern const quire_kernels quire_table_avx512bf16;
#endif

#endif
