// Quantized weights times activations of LIMBS limbs with AVX512_VNNI, which multiplies and adds four bytes a lane at
// once. One file for each number of limbs includes this; several tables use the same kernels.
#if defined(__x86_64__)

#include "CPUKernels.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(                                                                                   \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c"))), apply_to = function)

enum { SHORT_TILE_VECTORS = 4, TILE_VECTORS = 4 };
#define TILE_ROWS 6

#define QUIRE_AVX512
#include "numbers.h"

// A part is one limb. The four inputs of a word are in the order in which an octet of codes is unpacked to bytes: of
// each eight inputs 0, 4, 1, 5 and 2, 6, 3, 7.
enum { WORD_INPUTS = 4, PARTS = LIMBS };

/// Writes one part of sixteen inputs from input `first` of a slice on.
INLINE void write_part(i32x16 numbers, int32_t *words, size_t first) {
    i8x16 bytes = __builtin_convertvector(numbers, i8x16);
    bytes = __builtin_shufflevector(bytes, bytes, 0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
    memcpy((char *)words + first, &bytes, sizeof bytes);
}

#include "limbs.h"

// One vector at a time for several rows: the sums of all limbs fill the registers.
#define SLICE_VECTORS(R, V) ((R) * LIMBS > 4 ? 1 : (V))
#define BLOCK_VECTORS(R, V) 1

/// `sum + codes · limbs` of four inputs.
INLINE i32x16 add_products(i32x16 sum, u32x16 codes, int32_t limbs) {
    return (i32x16)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)codes, _mm512_set1_epi32(limbs));
}

/// The chain after a slice, whose sums are `sums`.
INLINE f32x16 add_slice(const i32x16 sums[LIMBS], float scale, f32x16 chain) {
    i32x16 last = sums[LIMBS - 1];
    if (LIMBS > 1) {
        last += sums[LIMBS > 1 ? LIMBS - 2 : 0] * (1 << LIMB_BITS);
    }
    f32x16 products = __builtin_convertvector(last, f32x16);
    if (LIMBS > 2) {
        // The product of the first limb would overflow a 32-bit integer.
        products = __builtin_convertvector(sums[0], f32x16) * splat(1 << 2 * LIMB_BITS) + products;
    }
    return splat(scale) * products + chain;
}

INLINE void multiply_slice(code_kind kind, const quire_quantized *q, size_t rows, size_t vectors, const char *slice,
                           size_t lane, input_rows x, accumulators acc) {
    i32x16 sums[MAX_ROWS][PANEL_VECTORS][LIMBS] = {0};
    UNROLL for (size_t octet = 0; octet < kind.inputs / OCTET; octet++) {
        UNROLL for (size_t v = 0; v < vectors; v++) {
            code_bytes codes = octet_bytes(kind, q, load_octet(kind, q, slice, octet, lane + v * LANES));
            UNROLL for (size_t word = 0; word < 2; word++) {
                UNROLL for (size_t r = 0; r < rows; r++) {
                    UNROLL for (size_t d = 0; d < LIMBS; d++) {
                        int32_t limbs = record_of(x, r)->words[d][x.input / 4 + 2 * octet + word];
                        sums[r][v][d] = add_products(sums[r][v][d], codes.words[word], limbs);
                    }
                }
            }
        }
    }
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++) {
            acc[r][v] = add_slice(sums[r][v], record_of(x, r)->scale, acc[r][v]);
        }
    }
}

/// To [inputs / 4, 64, 4].
INLINE void unpack_slice(code_kind kind, const quire_quantized *q, const char *slice, void *unpacked) {
    for (size_t octet = 0; octet < kind.inputs / OCTET; octet++) {
        for (size_t lane = 0; lane < quire_panel_width; lane += LANES) {
            code_bytes codes = octet_bytes(kind, q, load_octet(kind, q, slice, octet, lane));
            UNROLL for (size_t word = 0; word < 2; word++) {
                size_t index = (2 * octet + word) * quire_panel_width + lane;
                *(u32x16_anywhere *)((uint32_t *)unpacked + index) = codes.words[word];
            }
        }
    }
}

#include "linear_limbs.h"

#pragma clang attribute pop

#endif
