// Conversions between f32 and the 16-bit types, sixteen numbers at a time. The file of an instruction set defines
// `QUIRE_AVX2` or `QUIRE_AVX512` where its instructions can be used.
#ifndef QUIRE_NUMBERS_H
#define QUIRE_NUMBERS_H

#include "CPUKernels.h"
#include "vector.h"

INLINE u32x16 choose(i32x16 mask, u32x16 yes, u32x16 no) {
    u32x16 m = __builtin_bit_cast(u32x16, mask);
    return (m & yes) | (~m & no);
}

#if defined(QUIRE_AVX512)

INLINE f32x16 f32_from_f16(u16x16 h) { return (f32x16)_mm512_cvtph_ps((__m256i)h); }

INLINE u16x16 f16_from_f32(f32x16 x) { return (u16x16)_mm512_cvtps_ph((__m512)x, _MM_FROUND_TO_NEAREST_INT); }

/// `table[index]`, lane by lane.
INLINE u32x16 word_lookup(const uint32_t *table, u32x16 index) {
    return (u32x16)_mm512_i32gather_epi32((__m512i)index, table, 4);
}

/// `table[index % 16]`, lane by lane.
INLINE f32x16 float_lookup(f32x16 table, u32x16 index) {
    return (f32x16)_mm512_permutexvar_ps((__m512i)index, (__m512)table);
}

#elif defined(QUIRE_AVX2)

INLINE f32x16 f32_from_f16(u16x16 h) {
    __m256i half = (__m256i)h;
    f32x8 low = (f32x8)_mm256_cvtph_ps(_mm256_castsi256_si128(half));
    f32x8 high = (f32x8)_mm256_cvtph_ps(_mm256_extracti128_si256(half, 1));
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

/// `table[index]`, lane by lane.
INLINE u32x16 word_lookup(const uint32_t *table, u32x16 index) {
    union {
        u32x16 whole;
        __m256i halves[2];
    } words = {.whole = index};
    UNROLL for (size_t half = 0; half < 2; half++) {
        words.halves[half] = _mm256_i32gather_epi32((const int *)table, words.halves[half], 4);
    }
    return words.whole;
}

/// `table[index % 16]`, lane by lane.
INLINE f32x16 float_lookup(f32x16 table, u32x16 index) {
    union {
        u32x16 whole;
        __m256i halves[2];
    } from = {.whole = index};
    union {
        f32x16 whole;
        __m256 halves[2];
    } to;
    UNROLL for (size_t half = 0; half < 2; half++) {
        // A permutation reads three bits of an index; the fourth one chooses.
        __m256 low = _mm256_permutevar8x32_ps((__m256)table.lo, from.halves[half]);
        __m256 high = _mm256_permutevar8x32_ps((__m256)table.hi, from.halves[half]);
        to.halves[half] = _mm256_blendv_ps(low, high, (__m256)_mm256_slli_epi32(from.halves[half], 28));
    }
    return to.whole;
}

INLINE u16x16 f16_from_f32(f32x16 x) {
    __m128i low = _mm256_cvtps_ph((__m256)x.lo, _MM_FROUND_TO_NEAREST_INT);
    __m128i high = _mm256_cvtps_ph((__m256)x.hi, _MM_FROUND_TO_NEAREST_INT);
    return (u16x16)_mm256_set_m128i(high, low);
}

#else

/// `table[index]`, lane by lane.
INLINE u32x16 word_lookup(const uint32_t *table, u32x16 index) {
    u32x16 found;
    UNROLL for (size_t i = 0; i < LANES; i++) { found[i] = table[index[i]]; }
    return found;
}

/// `table[index % 16]`, lane by lane.
INLINE f32x16 float_lookup(f32x16 table, u32x16 index) {
    float numbers[LANES];
    memcpy(numbers, &table, sizeof numbers);
    f32x16 found;
    UNROLL for (size_t i = 0; i < LANES; i++) { found[i] = numbers[index[i] % LANES]; }
    return found;
}

INLINE f32x16 f32_from_f16(u16x16 h) {
    u32x16 wide = __builtin_convertvector(h, u32x16);
    u32x16 magnitude = (wide & 0x7fff) << 13;
    // The multiplication corrects the bias of the exponent and normalises subnormals; infinity and NaN get their
    // exponent after it.
    u32x16 bits = bits_of(float_of(magnitude) * splat(0x1p112f));
    bits |= choose(magnitude >= (u32x16)(0x7c00 << 13), (u32x16)0x7f800000, (u32x16)0);
    return float_of(bits | (wide & 0x8000) << 16);
}

INLINE u16x16 f16_from_f32(f32x16 x) {
    u32x16 bits = bits_of(x);
    u32x16 sign = bits >> 16 & 0x8000;
    bits &= 0x7fffffff;
    u32x16 normal = (bits + (u32x16)0xc8000fff + (bits >> 13 & 1)) >> 13;
    // Adding 0.5 lets the adder round a subnormal result at the right bit.
    u32x16 subnormal = bits_of(float_of(bits) + splat(0.5f)) - 0x3f000000;
    u32x16 result = choose(bits < (u32x16)0x38800000, subnormal, normal);
    result = choose(bits >= (u32x16)0x47800000, (u32x16)0x7c00, result);
    result = choose(bits > (u32x16)0x7f800000, (u32x16)0x7e00, result);
    return __builtin_convertvector(result | sign, u16x16);
}

#endif

INLINE f32x16 f32_from_bf16(u16x16 b) { return float_of(__builtin_convertvector(b, u32x16) << 16); }

INLINE u16x16 bf16_from_f32(f32x16 x) {
    u32x16 bits = bits_of(x);
    u32x16 rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    u32x16 quiet = bits >> 16 | 0x40;
    u32x16 result = choose((bits & 0x7fffffff) > (u32x16)0x7f800000, quiet, rounded);
    return __builtin_convertvector(result, u16x16);
}

INLINE size_t byte_size(quire_dtype dtype) {
    return dtype == quire_dtype_f32 ? 4 : dtype == quire_dtype_int8 ? 1 : 2;
}

/// Sixteen numbers from element `index` on.
INLINE f32x16 load_as(quire_dtype dtype, const void *from, size_t index) {
    if (dtype == quire_dtype_f32) {
        return load((const float *)from + index);
    }
    u16x16 narrow = *(const u16x16_anywhere *)((const uint16_t *)from + index);
    return dtype == quire_dtype_f16 ? f32_from_f16(narrow) : f32_from_bf16(narrow);
}

/// `count` (< 16) numbers from element `index` on; the other lanes are zero.
INLINE f32x16 load_part_as(quire_dtype dtype, const void *from, size_t index, size_t count) {
    if (dtype == quire_dtype_f32) {
        return load_part((const float *)from + index, count);
    }
    u16x16 narrow = (u16x16)(uint16_t)0;
    memcpy(&narrow, (const uint16_t *)from + index, count * sizeof(uint16_t));
    return dtype == quire_dtype_f16 ? f32_from_f16(narrow) : f32_from_bf16(narrow);
}

/// Stores `count` numbers, at most 16, from element `index` on.
INLINE void store_as(quire_dtype dtype, void *to, size_t index, f32x16 x, size_t count) {
    if (dtype == quire_dtype_f32) {
        store_some((float *)to + index, x, count);
        return;
    }
    u16x16 narrow = dtype == quire_dtype_f16 ? f16_from_f32(x) : bf16_from_f32(x);
    uint16_t *target = (uint16_t *)to + index;
    if (count >= LANES) {
        *(u16x16_anywhere *)target = narrow;
    } else {
        memcpy(target, &narrow, count * sizeof(uint16_t));
    }
}

#endif
