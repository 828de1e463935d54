// AVX-512, without and with products of bytes: thirty-two registers of sixteen floats.
#if defined(__x86_64__)

#include "CPUKernels.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))),      \
                             apply_to = function)

// Six rows of 64 outputs are twenty-four accumulators.
enum { FEW_VECTORS = 4, TILE_VECTORS = 4 };
#define TILE_ROWS 6

#include "f16_avx512.h"
#include "linear_quantized.h"
#include "table.h"
#include "tables.h"

// AVX2's products of integers are faster than floats twice as wide.
const quire_kernels quire_table_avx512 =
    QUIRE_TABLE(quire_isa_avx512, linear_bf16, quire_dtype_f32, .linear_quantized = linear_quantized,
                QUIRE_PRODUCTS_OF_DIGITS(avx2));

// Only products with quantized weights have any use for its bytes.
const quire_kernels quire_table_avx512vnni =
    QUIRE_TABLE(quire_isa_avx512vnni, linear_bf16, quire_dtype_f32, QUIRE_PRODUCTS_OF_DIGITS(vnni));

#pragma clang attribute pop

#endif
