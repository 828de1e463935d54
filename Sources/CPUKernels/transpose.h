// A 16 by 16 transposition in registers.
#ifndef QUIRE_TRANSPOSE_H
#define QUIRE_TRANSPOSE_H

#include "vector.h"

// Each step exchanges the off-diagonal blocks of one size between two rows.
#define EXCHANGE(name, lo, hi)                                                                                  \
    INLINE void name(f32x16 *a, f32x16 *b) {                                                                    \
        f32x16 low = __builtin_shufflevector(*a, *b, lo);                                                       \
        *b = __builtin_shufflevector(*a, *b, hi);                                                               \
        *a = low;                                                                                               \
    }
#define LIST(...) __VA_ARGS__
EXCHANGE(exchange8, LIST(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
         LIST(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
EXCHANGE(exchange4, LIST(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
         LIST(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
EXCHANGE(exchange2, LIST(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
         LIST(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
EXCHANGE(exchange1, LIST(0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),
         LIST(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
#undef LIST
#undef EXCHANGE

INLINE void transpose(f32x16 rows[LANES]) {
    UNROLL for (size_t i = 0; i < 8; i++) { exchange8(&rows[i], &rows[i + 8]); }
    UNROLL for (size_t i = 0; i < 8; i++) { exchange4(&rows[i + i / 4 * 4], &rows[i + i / 4 * 4 + 4]); }
    UNROLL for (size_t i = 0; i < 8; i++) { exchange2(&rows[i + i / 2 * 2], &rows[i + i / 2 * 2 + 2]); }
    UNROLL for (size_t i = 0; i < 8; i++) { exchange1(&rows[i + i], &rows[i + i + 1]); }
}

#endif
