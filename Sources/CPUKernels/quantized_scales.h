// Scale and offset of a group: its outputs are `scale · (sum of q x) + offset · (sum of x)`.
#ifndef QUIRE_QUANTIZED_SCALES_H
#define QUIRE_QUANTIZED_SCALES_H

#include "numbers.h"
#include "quantized_layout.h"

typedef struct group_scale {
    f32x16 scale, offset;
} group_scale;

typedef uint8_t u8x16 __attribute__((ext_vector_type(16)));
typedef u8x16 u8x16_anywhere __attribute__((aligned(1), may_alias));

INLINE f32x16 bytes_as_floats(const char *from) {
    return __builtin_convertvector(__builtin_convertvector(*(const u8x16_anywhere *)from, i32x16), f32x16);
}

INLINE f32x16 signed_bytes_as_floats(const char *from) {
    return __builtin_convertvector(__builtin_convertvector(*(const i8x16_anywhere *)from, i32x16), f32x16);
}

/// The zeros of sixteen outputs from `lane` on.
INLINE f32x16 group_zeros(const quire_quantized *q, const quantized_group *g, size_t lane) {
    u32x16 words = *(const u32x16_anywhere *)(g->zeros + lane * 4);
    u32x16 zeros = words >> g->zero_shift & ((1u << q->bits) - 1);
    return __builtin_convertvector(__builtin_bit_cast(i32x16, zeros), f32x16);
}

/// Those of sixteen outputs from `lane` on. Where scales have 16 bits or fewer, every product here is exact.
INLINE group_scale group_scale_at(const quire_quantized *q, const quantized_group *g, size_t lane) {
    float middle = (float)(1u << (q->bits - 1));
    group_scale s;
    switch (q->scaling) {
        case quire_scaling_centred:
            s.scale = load_as(q->scale_dtype, g->scales, lane);
            s.offset = s.scale * -middle;
            break;
        case quire_scaling_zeros:
            s.scale = load_as(q->scale_dtype, g->scales, lane);
            s.offset = s.scale * -group_zeros(q, g, lane);
            break;
        case quire_scaling_minimum:
            s.scale = load_as(q->scale_dtype, g->scales, lane);
            s.offset = load_as(q->scale_dtype, g->scales, quire_panel_width + lane);
            break;
        case quire_scaling_nested_minimum:
            s.scale = load_as(quire_dtype_f16, g->outer, lane) * bytes_as_floats(g->scales + lane);
            s.offset = load_as(quire_dtype_f16, g->outer, quire_panel_width + lane)
                       * -bytes_as_floats(g->scales + quire_panel_width + lane);
            break;
        case quire_scaling_nested_centred:
            s.scale = load_as(quire_dtype_f16, g->outer, lane) * signed_bytes_as_floats(g->scales + lane);
            s.offset = s.scale * -middle;
            break;
    }
    return s;
}

#endif
