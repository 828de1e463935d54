// What F16C has: conversions between f16 and f32.
#ifndef QUIRE_F16_AVX2_H
#define QUIRE_F16_AVX2_H

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

#endif
