// What AVX-512 has of its own: conversions between f16 and f32, and a lookup among sixteen floats.
#ifndef QUIRE_F16_AVX512_H
#define QUIRE_F16_AVX512_H

#define quire_has_f16_conversion
#include "vector.h"

INLINE f32x16 f32_from_f16(u16x16 h) { return (f32x16)_mm512_cvtph_ps((__m256i)h); }

INLINE u16x16 f16_from_f32(f32x16 x) { return (u16x16)_mm512_cvtps_ph((__m512)x, _MM_FROUND_TO_NEAREST_INT); }

#define quire_has_float_lookup

/// `table[index % 16]`, lane by lane.
INLINE f32x16 float_lookup(f32x16 table, u32x16 index) {
    return (f32x16)_mm512_permutexvar_ps((__m512i)index, (__m512)table);
}

#endif
