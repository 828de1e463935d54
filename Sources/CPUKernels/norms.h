// Norms of rows of f32. Every sum has four vectors of partial sums, then one tree, so that the order of additions
// depends on the number of elements alone.
#ifndef QUIRE_NORMS_H
#define QUIRE_NORMS_H

#include "row_kernels.h"

// Root-mean-square norm (Zhang and Sennrich, arXiv 1910.07467).

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

static void add_rms_norm(const float *x, size_t x_stride, const float *residual, size_t residual_stride, float *sum,
                         size_t sum_stride, float *y, size_t y_stride, size_t rows, size_t width,
                         const float *weight, float epsilon) {
    for (size_t r = 0; r < rows; r++) {
        float *total = sum + r * sum_stride;
        add_row(x + r * x_stride, residual + r * residual_stride, total, width);
        norm_group(total, y + r * y_stride, width, weight, epsilon);
    }
}

// Layer norm (Ba et al., arXiv 1607.06450).

INLINE float sum_of_numbers(const float *x, size_t count) {
    f32x16 sums[4] = {splat(0), splat(0), splat(0), splat(0)};
    size_t i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES) {
        UNROLL for (size_t v = 0; v < 4; v++) { sums[v] = load(x + i + v * LANES) + sums[v]; }
    }
    for (; i < count; i += LANES) { sums[0] = load_some(x + i, count - i) + sums[0]; }
    return sum_of((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

/// The sum of `(x - mean)²`: the difference to the mean of the squares would lose digits where the mean is large.
INLINE float sum_of_squared_distances(const float *x, size_t count, float mean) {
    const i32x16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    f32x16 sums[4] = {splat(0), splat(0), splat(0), splat(0)};
    size_t i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES) {
        UNROLL for (size_t v = 0; v < 4; v++) {
            f32x16 distance = load(x + i + v * LANES) - splat(mean);
            sums[v] = distance * distance + sums[v];
        }
    }
    for (; i < count; i += LANES) {
        size_t part = smaller(count - i, LANES);
        f32x16 distance = load_some(x + i, part) - splat(mean);
        // Lanes past the end hold no number that has a distance.
        distance = blend(lane < (i32x16)(int32_t)part, distance, splat(0));
        sums[0] = distance * distance + sums[0];
    }
    return sum_of((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

INLINE void layer_norm_group(const float *x, float *y, size_t count, const float *weight, const float *bias,
                             float epsilon) {
    float mean = sum_of_numbers(x, count) / (float)count;
    float variance = sum_of_squared_distances(x, count, mean) / (float)count;
    f32x16 factor = splat(1.0f) / __builtin_elementwise_sqrt(splat(variance + epsilon));
    for (size_t i = 0; i < count; i += LANES) {
        f32x16 normed = (load_some(x + i, count - i) - splat(mean)) * factor;
        if (weight) {
            normed = normed * load_some(weight + i, count - i);
        }
        if (bias) {
            normed = normed + load_some(bias + i, count - i);
        }
        store_some(y + i, normed, count - i);
    }
}

static void layer_norm(const float *x, size_t x_stride, float *y, size_t y_stride, size_t rows, size_t groups,
                       size_t group_size, const float *weight, size_t weight_stride, const float *bias,
                       size_t bias_stride, float epsilon) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t g = 0; g < groups; g++) {
            size_t at = g * group_size;
            layer_norm_group(x + r * x_stride + at, y + r * y_stride + at, group_size,
                             weight ? weight + g * weight_stride : NULL, bias ? bias + g * bias_stride : NULL, epsilon);
        }
    }
}

#endif
