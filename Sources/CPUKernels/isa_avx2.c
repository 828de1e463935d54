// AVX2, FMA and F16C: sixteen registers of eight floats.
#if defined(__x86_64__)

#include "CPUKernels.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

// Six rows of 16 outputs are twelve accumulators, and so are three rows of 32.
enum { FEW_VECTORS = 2, TILE_VECTORS = 1 };
#define TILE_ROWS 6

#define quire_has_f16_conversion
#include "vector.h"

INLINE f32x16 f32_from_f16(u16x16 h) {
    __m256i half = (__m256i)h;
    f32x8 low = (f32x8)_mm256_cvtph_ps(_mm256_castsi256_si128(half));
    f32x8 high = (f32x8)_mm256_cvtph_ps(_mm256_extracti128_si256(half, 1));
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

INLINE u16x16 f16_from_f32(f32x16 x) {
    __m128i low = _mm256_cvtps_ph((__m256)x.lo, _MM_FROUND_TO_NEAREST_INT);
    __m128i high = _mm256_cvtps_ph((__m256)x.hi, _MM_FROUND_TO_NEAREST_INT);
    return (u16x16)_mm256_set_m128i(high, low);
}

#include "linear_quantized.h"
#include "table.h"
#include "tables.h"

const quire_kernels quire_table_avx2 =
    QUIRE_TABLE(quire_isa_avx2, linear_bf16, quire_dtype_f32, .linear_quantized = linear_quantized);

#pragma clang attribute pop

#endif
