// One number from a row of logits.
#ifndef QUIRE_REDUCTION_H
#define QUIRE_REDUCTION_H

#include "vector.h"

INLINE float largest_of(const float *x, size_t count) {
    f32x16 best = splat(-INFINITY);
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) { best = larger(load(x + i), best); }
    float result = max_of(best);
    for (; i < count; i++) { result = x[i] > result ? x[i] : result; }
    return result;
}

static size_t argmax(const float *x, size_t count) {
    float best = largest_of(x, count);
    for (size_t i = 0; i < count; i++) {
        // Where there are only NaN and -infinity, the first -infinity wins, if any.
        if (x[i] == best) {
            return i;
        }
    }
    return 0;
}

static double log_sum_exp(const float *x, size_t count) {
    if (count == 0) {
        return -INFINITY;
    }
    float best = largest_of(x, count);
    if (best == -INFINITY || best == INFINITY) {
        return best;
    }
    // Short runs in f32, their sums in double: a long vocabulary loses nothing.
    enum { RUN = 64 * LANES };
    double total = 0;
    for (size_t start = 0; start < count; start += RUN) {
        size_t end = smaller(start + RUN, count), i = start;
        f32x16 sum = splat(0);
        for (; i + LANES <= end; i += LANES) { sum += exp_of(load(x + i) - splat(best)); }
        if (i < end) {
            f32x16 values = splat(-INFINITY);
            memcpy(&values, x + i, (end - i) * sizeof(float));
            sum += exp_of(values - splat(best));
        }
        total += sum_of(sum);
    }
    return best + log(total);
}

#endif
