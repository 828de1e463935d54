// Kernels over rows of f32: gated activations, norms, additions, rotary embedding.
#ifndef QUIRE_ROW_KERNELS_H
#define QUIRE_ROW_KERNELS_H

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

// Root-mean-square norm (Zhang and Sennrich, arXiv 1910.07467).

/// Four vectors of partial sums, then one tree, so that the order of additions depends on `count` alone.
INLINE float sum_of_squares(const float *x, size_t count) {
    f32x16 sums[4] = {splat(0), splat(0), splat(0), splat(0)};
    size_t i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES) {
        UNROLL for (size_t v = 0; v < 4; v++) {
            f32x16 value = load(x + i + v * LANES);
            sums[v] = value * value + sums[v];
        }
    }
    for (; i < count; i += LANES) {
        f32x16 value = load_some(x + i, count - i);
        sums[0] = value * value + sums[0];
    }
    return sum_of((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

INLINE void norm_group(const float *x, float *y, size_t count, const float *weight, float epsilon) {
    float mean = sum_of_squares(x, count) / (float)count;
    f32x16 factor = splat(1.0f) / __builtin_elementwise_sqrt(splat(mean + epsilon));
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) { store(y + i, load(x + i) * factor * load(weight + i)); }
    if (i < count) {
        store_part(y + i, load_part(x + i, count - i) * factor * load_part(weight + i, count - i), count - i);
    }
}

static void rms_norm(const float *x, size_t x_stride, float *y, size_t y_stride, size_t rows, size_t groups,
                     size_t group_size, const float *weight, float epsilon) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t g = 0; g < groups; g++) {
            size_t at = g * group_size;
            norm_group(x + r * x_stride + at, y + r * y_stride + at, group_size, weight, epsilon);
        }
    }
}

INLINE void add_row(const float *left, const float *right, float *y, size_t width) {
    size_t i = 0;
    for (; i + LANES <= width; i += LANES) { store(y + i, load(left + i) + load(right + i)); }
    for (; i < width; i++) { y[i] = left[i] + right[i]; }
}

static void add_rms_norm(const float *x, size_t x_stride, const float *residual, size_t residual_stride, float *sum,
                         size_t sum_stride, float *y, size_t y_stride, size_t rows, size_t width,
                         const float *weight, float epsilon) {
    for (size_t r = 0; r < rows; r++) {
        float *total = sum + r * sum_stride;
        add_row(x + r * x_stride, residual + r * residual_stride, total, width);
        norm_group(total, y + r * y_stride, width, weight, epsilon);
    }
}

static void add(const float *left, size_t left_stride, const float *right, size_t right_stride, float *y,
                size_t y_stride, size_t rows, size_t width) {
    for (size_t r = 0; r < rows; r++) {
        add_row(left + r * left_stride, right + r * right_stride, y + r * y_stride, width);
    }
}

// Rotary position embedding (Su et al., arXiv 2104.09864).

/// Pairs `(i, i + half)`. All of a vector is read before any of it is written, so `y` may be `x`.
INLINE void rotate_halves(const float *x, float *y, size_t half, const float *cosines, const float *sines) {
    for (size_t i = 0; i < half; i += LANES) {
        size_t count = smaller(half - i, LANES);
        f32x16 a = load_some(x + i, count), b = load_some(x + half + i, count);
        f32x16 c = load_some(cosines + i, count), s = load_some(sines + i, count);
        store_some(y + i, a * c - b * s, count);
        store_some(y + half + i, b * c + a * s, count);
    }
}

/// Pairs `(2i, 2i + 1)`.
INLINE void rotate_interleaved(const float *x, float *y, size_t half, const float *cosines, const float *sines) {
    for (size_t i = 0; i < half; i++) {
        float a = x[2 * i], b = x[2 * i + 1];
        y[2 * i] = a * cosines[i] - b * sines[i];
        y[2 * i + 1] = b * cosines[i] + a * sines[i];
    }
}

static void rotary_embedding(const float *x, size_t x_stride, float *y, size_t y_stride, size_t tokens, size_t heads,
                             size_t head_size, size_t rotary_size, quire_pairing pairing, const float *cosines,
                             const float *sines) {
    size_t half = rotary_size / 2;
    for (size_t t = 0; t < tokens; t++) {
        const float *c = cosines + t * half, *s = sines + t * half;
        for (size_t h = 0; h < heads; h++) {
            const float *from = x + t * x_stride + h * head_size;
            float *to = y + t * y_stride + h * head_size;
            if (pairing == quire_pairing_halves) {
                rotate_halves(from, to, half, c, s);
            } else {
                rotate_interleaved(from, to, half, c, s);
            }
            if (to != from && head_size > rotary_size) {
                memcpy(to + rotary_size, from + rotary_size, (head_size - rotary_size) * sizeof(float));
            }
        }
    }
}

#endif
