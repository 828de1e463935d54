// AVX-512, without and with VNNI: thirty-two registers of sixteen floats.
#if defined(__x86_64__)

#include "CPUKernels.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))),      \
                             apply_to = function)

// Six rows of 64 outputs are twenty-four accumulators.
enum { SHORT_TILE_VECTORS = 4, TILE_VECTORS = 4 };
#define TILE_ROWS 6
#define QUIRE_AVX512

#include "linear_quantized.h"
#include "table.h"
#include "tables.h"

// AVX2's integer products are faster than float products of twice the width.
const quire_kernels quire_table_avx512 =
    QUIRE_TABLE(quire_isa_avx512, linear_bf16, quire_dtype_f32, .linear_quantized = linear_quantized,
                QUIRE_INTEGER_PRODUCTS(avx2));

// VNNI's byte products serve quantized weights only.
const quire_kernels quire_table_avx512vnni =
    QUIRE_TABLE(quire_isa_avx512vnni, linear_bf16, quire_dtype_f32, QUIRE_INTEGER_PRODUCTS(vnni));

#pragma clang attribute pop

#endif
