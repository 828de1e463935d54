// Root-mean-square norm (Zhang and Sennrich, arXiv 1910.07467).
#ifndef QUIRE_NORM_H
#define QUIRE_NORM_H

#include "vector.h"

/// Four vectors of partial sums, then one tree: the order depends on `count` alone.
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

#endif
