// Heads of an int8 cache: a scale, and the numbers divided by it, rounded to eight bits.
#ifndef QUIRE_INT8_HEADS_H
#define QUIRE_INT8_HEADS_H

#include "numbers.h"

/// Bytes of the scale before a head's numbers.
enum { SCALE_SIZE = sizeof(float) };

/// Bytes of a head with its scale.
INLINE size_t scaled_head_size(size_t head_size) { return SCALE_SIZE + (head_size + 3) / 4 * 4; }

/// Writes `heads` heads of `x` one after another.
static void write_scaled_heads(const float *x, size_t heads, size_t head_size, char *to) {
    // Adding it to a small number rounds the number to an integer, ties to even, in the last bits of the mantissa.
    const f32x16 magic = splat(0x1.8p23f);
    for (size_t h = 0; h < heads; h++, x += head_size, to += scaled_head_size(head_size)) {
        f32x16 largest = splat(0);
        for (size_t d = 0; d < head_size; d += LANES) {
            f32x16 part = load_some(x + d, head_size - d);
            largest = larger(part, larger(splat(0) - part, largest));
        }
        float scale = max_of(largest) / 127.0f;
        memcpy(to, &scale, SCALE_SIZE);
        for (size_t d = 0; d < head_size; d += LANES) {
            f32x16 ratio = load_some(x + d, head_size - d) / splat(scale);
            i32x16 rounded = __builtin_bit_cast(i32x16, ratio + magic) - (i32x16)0x4b400000;
            // A head of nothing but zeros has no scale to divide by.
            i8x16 bytes = __builtin_convertvector(scale > 0 ? rounded : (i32x16)0, i8x16);
            memcpy(to + SCALE_SIZE + d, &bytes, smaller(head_size - d, LANES));
        }
    }
}

/// Sixteen numbers, from `d` on, of a cached vector at `index`. `index` counts numbers, or bytes in an int8 cache.
INLINE f32x16 load_cached(quire_dtype dtype, const void *cache, size_t index, size_t d) {
    if (dtype != quire_dtype_int8) {
        return load_as(dtype, cache, index + d);
    }
    const char *head = (const char *)cache + index;
    float scale;
    memcpy(&scale, head - SCALE_SIZE, SCALE_SIZE);
    return __builtin_convertvector(*(const i8x16_anywhere *)(head + d), f32x16) * splat(scale);
}

/// `count` (< 16) of them; the other lanes are zero.
INLINE f32x16 load_part_cached(quire_dtype dtype, const void *cache, size_t index, size_t d, size_t count) {
    if (dtype != quire_dtype_int8) {
        return load_part_as(dtype, cache, index + d, count);
    }
    const char *head = (const char *)cache + index;
    float scale;
    memcpy(&scale, head - SCALE_SIZE, SCALE_SIZE);
    i8x16 bytes = (i8x16)(int8_t)0;
    memcpy(&bytes, head + d, count);
    return __builtin_convertvector(bytes, f32x16) * splat(scale);
}

#endif
