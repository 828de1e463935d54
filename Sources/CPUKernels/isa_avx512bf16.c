// AVX-512 with dot products of bf16 pairs (Zen 4, Cooper Lake, Sapphire Rapids and later).
#if defined(__x86_64__)

#include "CPUKernels.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(                                                                                   \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,f16c"))), apply_to = function)

enum { SHORT_TILE_VECTORS = 4, TILE_VECTORS = 4 };
#define TILE_ROWS 6
#define QUIRE_AVX512
#define QUIRE_AVX512BF16

#include "linear_quantized.h"
#include "table.h"
#include "tables.h"

const quire_kernels quire_table_avx512bf16 =
    QUIRE_TABLE(quire_isa_avx512bf16, linear_bf16_pairs, quire_dtype_bf16, QUIRE_INTEGER_PRODUCTS(vnni));

#pragma clang attribute pop

#endif
