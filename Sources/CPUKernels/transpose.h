// A 16 by 16 transposition in registers.
#ifndef QUIRE_TRANSPOSE_H
#define QUIRE_TRANSPOSE_H

#include "vector.h"

// The usual network: each step joins every row with a partner, its low halves into one, its high halves into the other.
#define JOIN(name, low, high)                                                                                   \
    INLINE void name(f32x16 *a, f32x16 *b) {                                                                    \
        f32x16 first = __builtin_shufflevector(*a, *b, low);                                                    \
        *b = __builtin_shufflevector(*a, *b, high);                                                             \
        *a = first;                                                                                             \
    }
#define LIST(...) __VA_ARGS__
JOIN(join1, LIST(0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29),
     LIST(2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31))
JOIN(join2, LIST(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
     LIST(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
JOIN(join4, LIST(0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27),
     LIST(4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31))
#undef LIST
#undef JOIN

/// Moves bits only: the rows may hold anything.
INLINE void transpose(f32x16 rows[LANES]) {
    UNROLL for (size_t i = 0; i < LANES; i += 2) { join1(&rows[i], &rows[i + 1]); }
    UNROLL for (size_t q = 0; q < LANES; q += 4) {
        join2(&rows[q], &rows[q + 2]);
        join2(&rows[q + 1], &rows[q + 3]);
    }
    UNROLL for (size_t i = 0; i < 4; i++) {
        join4(&rows[i], &rows[i + 4]);
        join4(&rows[i + 8], &rows[i + 12]);
    }
    UNROLL for (size_t i = 0; i < 4; i++) {
        join4(&rows[i], &rows[i + 8]);
        join4(&rows[i + 4], &rows[i + 12]);
    }
    // The second and the third column of each four have changed places.
    UNROLL for (size_t q = 0; q < LANES; q += 4) {
        f32x16 second = rows[q + 2];
        rows[q + 2] = rows[q + 1];
        rows[q + 1] = second;
    }
}

#endif
