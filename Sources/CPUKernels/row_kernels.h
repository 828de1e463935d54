// Kernels over rows of f32: additions, scaling, rotary embedding.
#ifndef QUIRE_ROW_KERNELS_H
#define QUIRE_ROW_KERNELS_H

#include "vector.h"

INLINE void add_row(const float *left, const float *right, float *y, size_t width) {
    size_t i = 0;
    for (; i + LANES <= width; i += LANES) { store(y + i, load(left + i) + load(right + i)); }
    for (; i < width; i++) { y[i] = left[i] + right[i]; }
}

static void add(const float *left, size_t left_stride, const float *right, size_t right_stride, float *y,
                size_t y_stride, size_t rows, size_t width) {
    for (size_t r = 0; r < rows; r++) {
        add_row(left + r * left_stride, right + r * right_stride, y + r * y_stride, width);
    }
}

static void scale(const float *x, float *y, size_t count, float factor) {
    for (size_t i = 0; i < count; i += LANES) {
        store_some(y + i, load_some(x + i, count - i) * splat(factor), count - i);
    }
}

/// A vector is summed over all choices before it is written.
static void weighted_sum(const float *routes, size_t choices, const float *x, float *y, size_t rows, size_t width) {
    for (size_t r = 0; r < rows; r++) {
        const float *weights = routes + (2 * r + 1) * choices, *row = x + r * choices * width;
        for (size_t i = 0; i < width; i += LANES) {
            size_t count = smaller(width - i, LANES);
            f32x16 sum = load_some(row + i, count) * splat(weights[0]);
            for (size_t c = 1; c < choices; c++) {
                sum += load_some(row + c * width + i, count) * splat(weights[c]);
            }
            store_some(y + r * width + i, sum, count);
        }
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
