// Element-by-element functions.
#ifndef QUIRE_ACTIVATION_H
#define QUIRE_ACTIVATION_H

#include "vector.h"

INLINE f32x16 sigmoid_times(f32x16 x, f32x16 argument) { return x / (splat(1.0f) + exp_of(-argument)); }

INLINE f32x16 activated(quire_activation activation, f32x16 x) {
    if (activation == quire_activation_silu) {
        return sigmoid_times(x, x);
    }
    // 0.5 (1 + tanh u) = 1 / (1 + exp(-2u)), u = sqrt(2/pi) (x + 0.044715 x^3).
    f32x16 u = (x * x * splat(0.044715f) + splat(1.0f)) * x * splat(0.79788456f);
    return sigmoid_times(x, u + u);
}

INLINE void gated_rows(quire_activation activation, const float *gate, size_t gate_stride, const float *up,
                       size_t up_stride, float *y, size_t y_stride, size_t rows, size_t width) {
    for (size_t r = 0; r < rows; r++) {
        const float *g = gate + r * gate_stride, *u = up + r * up_stride;
        float *to = y + r * y_stride;
        for (size_t i = 0; i < width; i += LANES) {
            size_t count = smaller(width - i, LANES);
            store_some(to + i, activated(activation, load_some(g + i, count)) * load_some(u + i, count), count);
        }
    }
}

static void gated_activation(quire_activation activation, const float *gate, size_t gate_stride, const float *up,
                             size_t up_stride, float *y, size_t y_stride, size_t rows, size_t width) {
    if (activation == quire_activation_silu) {
        gated_rows(quire_activation_silu, gate, gate_stride, up, up_stride, y, y_stride, rows, width);
    } else {
        gated_rows(quire_activation_gelu_tanh, gate, gate_stride, up, up_stride, y, y_stride, rows, width);
    }
}

static void soft_cap(const float *x, float *y, size_t count, float cap) {
    for (size_t i = 0; i < count; i += LANES) {
        f32x16 value = load_some(x + i, count - i);
        store_some(y + i, tanh_of(value / splat(cap)) * splat(cap), count - i);
    }
}

#endif
