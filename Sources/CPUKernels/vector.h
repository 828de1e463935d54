// Sixteen floats at a time, in Clang's vector types: each instruction set's file compiles the same bodies for itself.
//
// There are sixteen lanes everywhere, so the order of a sum does not depend on the register width. `a * b + c` in one
// expression becomes a fused multiply-add wherever the target has one (Clang's default contraction), in all callers
// alike.
#ifndef QUIRE_VECTOR_H
#define QUIRE_VECTOR_H

#include "CPUKernels.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline, unused))
#define UNROLL _Pragma("clang loop unroll(full)")

// The vectors are wider than some targets' registers; every function that takes one is inlined.
#pragma clang diagnostic ignored "-Wpsabi"

typedef float f32x16 __attribute__((ext_vector_type(16)));
typedef int32_t i32x16 __attribute__((ext_vector_type(16)));
typedef uint32_t u32x16 __attribute__((ext_vector_type(16)));
typedef uint16_t u16x16 __attribute__((ext_vector_type(16)));
typedef int8_t i8x16 __attribute__((ext_vector_type(16)));
typedef float f32x8 __attribute__((ext_vector_type(8)));
typedef float f32x4 __attribute__((ext_vector_type(4)));

// The same at any address, over any type.
typedef f32x16 f32x16_anywhere __attribute__((aligned(4), may_alias));
typedef u32x16 u32x16_anywhere __attribute__((aligned(2), may_alias));
typedef u16x16 u16x16_anywhere __attribute__((aligned(2), may_alias));
typedef i8x16 i8x16_anywhere __attribute__((aligned(1), may_alias));

enum { LANES = 16 };

INLINE size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

INLINE f32x16 splat(float x) { return (f32x16)x; }
INLINE u32x16 bits_of(f32x16 x) { return __builtin_bit_cast(u32x16, x); }
INLINE f32x16 float_of(u32x16 x) { return __builtin_bit_cast(f32x16, x); }

INLINE f32x16 load(const float *from) { return *(const f32x16_anywhere *)from; }
INLINE void store(float *to, f32x16 x) { *(f32x16_anywhere *)to = x; }

/// Lanes past `count` (< 16) are zero.
INLINE f32x16 load_part(const float *from, size_t count) {
    f32x16 x = splat(0);
    memcpy(&x, from, count * sizeof(float));
    return x;
}

INLINE void store_part(float *to, f32x16 x, size_t count) { memcpy(to, &x, count * sizeof(float)); }

/// Reads at most 16; `count` may be larger.
INLINE f32x16 load_some(const float *from, size_t count) {
    return count >= LANES ? load(from) : load_part(from, count);
}

INLINE void store_some(float *to, f32x16 x, size_t count) {
    if (count >= LANES) {
        store(to, x);
    } else {
        store_part(to, x, count);
    }
}

INLINE f32x16 blend(i32x16 mask, f32x16 yes, f32x16 no) {
    return __builtin_bit_cast(f32x16, mask ? __builtin_bit_cast(i32x16, yes) : __builtin_bit_cast(i32x16, no));
}

/// Where either is NaN the result is `b`.
INLINE f32x16 larger(f32x16 a, f32x16 b) { return blend(a > b, a, b); }

/// Always adds in the same tree.
INLINE float sum_of(f32x16 x) {
    f32x8 a = x.lo + x.hi;
    f32x4 b = a.lo + a.hi;
    return (b.x + b.z) + (b.y + b.w);
}

INLINE float max_of(f32x16 x) {
    float best = x[0];
    f32x8 a = x.lo > x.hi ? x.lo : x.hi;
    f32x4 b = a.lo > a.hi ? a.lo : a.hi;
    best = b.x > b.y ? b.x : b.y;
    float other = b.z > b.w ? b.z : b.w;
    return best > other ? best : other;
}

/// e^x to 2 units in the last place over the whole range, subnormal results included; NaN stays NaN.
///
/// x = n ln 2 + r, a polynomial of degree 6 on r (Cephes' expf), and 2^n in two factors so that neither overflows.
INLINE f32x16 exp_of(f32x16 x) {
    x = blend(x < splat(-105.0f), splat(-105.0f), x);
    x = blend(x > splat(89.0f), splat(89.0f), x);
    const f32x16 magic = splat(0x1.8p23f);
    f32x16 shifted = x * splat(0x1.715476p0f) + magic;
    f32x16 n = shifted - magic;
    f32x16 r = n * splat(-0x1.62e4p-1f) + x;
    r = n * splat(-0x1.7f7d1cp-20f) + r;
    f32x16 p = splat(1.9875691500e-4f);
    p = p * r + splat(1.3981999507e-3f);
    p = p * r + splat(8.3334519073e-3f);
    p = p * r + splat(4.1665795894e-2f);
    p = p * r + splat(1.6666665459e-1f);
    p = p * r + splat(5.0000001201e-1f);
    p = p * (r * r) + r + splat(1.0f);
    i32x16 exponent = __builtin_bit_cast(i32x16, shifted) - (i32x16)0x4b400000;
    i32x16 half = exponent >> 1;
    f32x16 first = __builtin_bit_cast(f32x16, (half + 127) << 23);
    f32x16 second = __builtin_bit_cast(f32x16, (exponent - half + 127) << 23);
    return p * first * second;
}

/// tanh x, relative error near 1e-7 also near zero (Cephes' tanhf).
INLINE f32x16 tanh_of(f32x16 x) {
    f32x16 z = x * x;
    f32x16 p = splat(-5.70498872745e-3f);
    p = p * z + splat(2.06390887954e-2f);
    p = p * z + splat(-5.37397155531e-2f);
    p = p * z + splat(1.33314422036e-1f);
    p = p * z + splat(-3.33332819422e-1f);
    f32x16 near = p * z * x + x;
    f32x16 far = splat(1.0f) - splat(2.0f) / (exp_of(x + x) + splat(1.0f));
    return blend(z < splat(0.390625f), near, far);
}

#endif
