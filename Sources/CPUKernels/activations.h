// Activations of rows of f32, with and without a gate.
#ifndef QUIRE_ACTIVATIONS_H
#define QUIRE_ACTIVATIONS_H

#include "vector.h"

INLINE f32x16 sigmoid_times(f32x16 x, f32x16 argument) { return x / (splat(1.0f) + exp_of(-argument)); }

/// The complementary error function of numbers that are not negative, relative error below 3e-7 times the larger of 1
/// and x².
///
/// erfc(x) = exp(-x²) t P(t) with t = 1 / (1 + 0.35 x), as in Abramowitz and Stegun, 7.1.26. P is of degree 9, fitted
/// to the least relative error (8e-9) for x from 0 to 10.5, behind which the result is zero.
INLINE f32x16 erfc_of(f32x16 x) {
    f32x16 t = splat(1.0f) / (splat(0.35f) * x + splat(1.0f));
    f32x16 p = splat(0.0390823111f);
    p = p * t + splat(-0.1627336f);
    p = p * t + splat(0.190689906f);
    p = p * t + splat(-0.0404376797f);
    p = p * t + splat(0.0980106518f);
    p = p * t + splat(0.139895245f);
    p = p * t + splat(0.153408855f);
    p = p * t + splat(0.187402144f);
    p = p * t + splat(0.197201863f);
    p = p * t + splat(0.197480321f);
    return p * t * exp_of(-(x * x));
}

/// `exp(x) - 1 - x` of numbers that are not positive, without a difference of nearly equal numbers.
INLINE f32x16 exp_beyond_linear(f32x16 x) {
    // The Taylor series, whose first missing term is 5e-8 of the sum at -0.5.
    f32x16 p = splat(1.0f / 40320);
    p = p * x + splat(1.0f / 5040);
    p = p * x + splat(1.0f / 720);
    p = p * x + splat(1.0f / 120);
    p = p * x + splat(1.0f / 24);
    p = p * x + splat(1.0f / 6);
    p = p * x + splat(1.0f / 2);
    return blend(x > splat(-0.5f), p * x * x, exp_of(x) - splat(1.0f) - x);
}

INLINE f32x16 activated(quire_activation activation, const quire_xielu *xielu, f32x16 x) {
    // NaN stays NaN.
    f32x16 positive = blend(x < splat(0), splat(0), x);
    switch (activation) {
        case quire_activation_silu: return sigmoid_times(x, x);
        case quire_activation_gelu_tanh: {
            // 0.5 (1 + tanh u) = 1 / (1 + exp(-2u)), u = sqrt(2/pi) (x + 0.044715 x^3).
            f32x16 u = (x * x * splat(0.044715f) + splat(1.0f)) * x * splat(0.79788456f);
            return sigmoid_times(x, u + u);
        }
        case quire_activation_gelu: {
            f32x16 magnitude = blend(x < splat(0), -x, x);
            f32x16 tail = erfc_of(magnitude * splat(0.70710678f)) * splat(0.5f);
            return x * blend(x < splat(0), tail, splat(1.0f) - tail);
        }
        case quire_activation_relu: return positive;
        case quire_activation_sigmoid: return sigmoid_times(splat(1.0f), x);
        case quire_activation_relu_squared: return positive * positive;
        case quire_activation_xielu: {
            f32x16 below = blend(x < splat(xielu->epsilon), x, splat(xielu->epsilon));
            f32x16 negative = (exp_beyond_linear(below) + (below - x)) * splat(xielu->alpha_negative);
            f32x16 curved = blend(x > splat(0), x * x * splat(xielu->alpha_positive), negative);
            return splat(xielu->beta) * x + curved;
        }
    }
    return x;
}

INLINE void gated_rows(quire_activation activation, const float *gate, size_t gate_stride, const float *up,
                       size_t up_stride, float *y, size_t y_stride, size_t rows, size_t width) {
    for (size_t r = 0; r < rows; r++) {
        const float *g = gate + r * gate_stride, *u = up + r * up_stride;
        float *to = y + r * y_stride;
        for (size_t i = 0; i < width; i += LANES) {
            size_t count = smaller(width - i, LANES);
            f32x16 factor = activated(activation, NULL, load_some(g + i, count));
            store_some(to + i, factor * load_some(u + i, count), count);
        }
    }
}

/// `g sigmoid(alpha g) (u + 1)` of the clamped `g` and `u`; NaN stays NaN.
static void clamped_swiglu(const float *gate, size_t gate_stride, const float *up, size_t up_stride, float *y,
                           size_t y_stride, size_t rows, size_t width, float alpha, float limit) {
    for (size_t r = 0; r < rows; r++) {
        const float *gates = gate + r * gate_stride, *ups = up + r * up_stride;
        float *to = y + r * y_stride;
        for (size_t i = 0; i < width; i += LANES) {
            size_t count = smaller(width - i, LANES);
            f32x16 g = load_some(gates + i, count), u = load_some(ups + i, count);
            g = blend(g > splat(limit), splat(limit), g);
            u = blend(u > splat(limit), splat(limit), u);
            u = blend(u < splat(-limit), splat(-limit), u);
            store_some(to + i, sigmoid_times(g, g * splat(alpha)) * (u + splat(1.0f)), count);
        }
    }
}

/// All activations `f(gate) * up`.
#define FOR_GATE_ACTIVATIONS(CASE) \
    CASE(silu)                     \
    CASE(gelu_tanh)                \
    CASE(gelu)                     \
    CASE(relu)                     \
    CASE(sigmoid)                  \
    CASE(relu_squared)

static void gated_activation(quire_activation activation, const float *gate, size_t gate_stride, const float *up,
                             size_t up_stride, float *y, size_t y_stride, size_t rows, size_t width) {
#define CASE(name)                                                                                              \
    case quire_activation_##name:                                                                               \
        gated_rows(quire_activation_##name, gate, gate_stride, up, up_stride, y, y_stride, rows, width);        \
        break;
    switch (activation) {
        FOR_GATE_ACTIVATIONS(CASE)
        case quire_activation_xielu: break;
    }
#undef CASE
}

INLINE void activate_row(quire_activation activation, const quire_xielu *xielu, const float *x, float *y,
                         size_t count) {
    for (size_t i = 0; i < count; i += LANES) {
        store_some(y + i, activated(activation, xielu, load_some(x + i, count - i)), count - i);
    }
}

static void activate(quire_activation activation, const quire_xielu *xielu, const float *x, float *y, size_t count) {
#define CASE(name)                                                                                              \
    case quire_activation_##name: activate_row(quire_activation_##name, xielu, x, y, count); break;
    switch (activation) {
        FOR_GATE_ACTIVATIONS(CASE)
        CASE(xielu)
    }
#undef CASE
}

static void soft_cap(const float *x, float *y, size_t count, float cap) {
    for (size_t i = 0; i < count; i += LANES) {
        f32x16 value = load_some(x + i, count - i);
        store_some(y + i, tanh_of(value / splat(cap)) * splat(cap), count - i);
    }
}

#endif
