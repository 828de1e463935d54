// AVX2, FMA and F16C: sixteen registers of eight floats.
#if defined(__x86_64__)

#include "CPUKernels.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

// Six rows of 16 outputs are twelve accumulators, and so are three rows of 32.
enum { SHORT_TILE_VECTORS = 2, TILE_VECTORS = 1 };
#define TILE_ROWS 6
#define QUIRE_AVX2

#include "linear_quantized.h"
#include "table.h"
#include "tables.h"

const quire_kernels quire_table_avx2 =
    QUIRE_TABLE(quire_isa_avx2, linear_bf16, quire_dtype_f32, .linear_quantized = linear_quantized,
                QUIRE_INTEGER_PRODUCTS(avx2));

#pragma clang attribute pop

#endif
