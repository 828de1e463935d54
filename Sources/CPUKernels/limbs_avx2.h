// Quantized weights times activations of LIMBS limbs with AVX2, which multiplies and adds two 16-bit integers a lane
// at once: as fast for eight bits a code as for two, and for two limbs as for one. One file for each number of limbs
// includes this.
#if defined(__x86_64__)

#include "CPUKernels.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

enum { SHORT_TILE_VECTORS = 1, TILE_VECTORS = 1 };
// The sums of so many rows fit into twelve registers.
#define TILE_ROWS (LIMBS > 2 ? 3 : 6)

#define QUIRE_AVX2
#include "numbers.h"

// The first part is one limb or two, as a 16-bit integer. The second part is the third limb. The two inputs of a word
// are neighbours.
enum { WORD_INPUTS = 2, PARTS = (LIMBS + 1) / 2 };

typedef int16_t i16x16 __attribute__((ext_vector_type(16)));

/// Writes one part of sixteen inputs from input `first` of a slice on.
INLINE void write_part(i32x16 numbers, int32_t *words, size_t first) {
    i16x16 halves = __builtin_convertvector(numbers, i16x16);
    memcpy((int16_t *)words + first, &halves, sizeof halves);
}

#include "limbs.h"

// The sums of sixteen outputs take two of the sixteen registers.
#define SLICE_VECTORS(R, V) 1
#define BLOCK_VECTORS(R, V) 1

/// The codes of pair `pair` of an octet's inputs, 16 bits each.
INLINE u32x16 octet_code_pairs(size_t bits, octet_words w, uint32_t pair) {
    switch (bits) {
        case 2: return w.low >> 2 * pair & 0x00030003;
        case 3: return (w.low >> 2 * pair & 0x00030003) | (w.high >> pair & 0x00010001) << 2;
        case 5: return (w.low >> 4 * pair & 0x000f000f) | (w.high >> pair & 0x00010001) << 4;
        case 6: return (w.low >> 4 * pair & 0x000f000f) | (w.high >> 2 * pair & 0x00030003) << 4;
        case 8: return (pair < 2 ? w.low : w.high) >> 8 * (pair % 2) & 0x00ff00ff;
        default: return w.low >> 4 * pair & 0x000f000f;
    }
}

/// Their values.
INLINE u32x16 octet_pairs(code_kind kind, const quire_quantized *q, octet_words w, uint32_t pair) {
    u32x16 codes = octet_code_pairs(kind.bits, w, pair);
    if (has_book(kind)) {
        __m256i book = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)q->book));
        union {
            u32x16 whole;
            __m256i halves[2];
        } values = {.whole = codes | 0x80008000};
        // An index with its highest bit set gives zero, here the upper byte.
        UNROLL for (size_t half = 0; half < 2; half++) {
            values.halves[half] = _mm256_shuffle_epi8(book, values.halves[half]);
        }
        return values.whole;
    }
    return codes;
}

/// `sum + codes · part` of two inputs. The sum of a slice fits into 32 bits: 32 times 255 times 127 · 2^7 is below
/// 2^27.
INLINE i32x16 add_products(i32x16 sum, u32x16 codes, int32_t limbs) {
    __m256i two = _mm256_set1_epi32(limbs);
    union {
        i32x16 whole;
        __m256i halves[2];
    } products = {.whole = (i32x16)codes};
    UNROLL for (size_t half = 0; half < 2; half++) {
        products.halves[half] = _mm256_madd_epi16(products.halves[half], two);
    }
    return sum + products.whole;
}

/// The chain after a slice, whose sums are `sums`.
INLINE f32x16 add_slice(const i32x16 sums[PARTS], float scale, f32x16 chain) {
    f32x16 products = __builtin_convertvector(sums[PARTS - 1], f32x16);
    if (PARTS > 1) {
        products = __builtin_convertvector(sums[0], f32x16) * splat(1 << LIMB_BITS) + products;
    }
    return splat(scale) * products + chain;
}

INLINE void multiply_slice(code_kind kind, const quire_quantized *q, size_t rows, size_t vectors, const char *slice,
                           size_t lane, input_rows x, accumulators acc) {
    UNROLL for (size_t v = 0; v < vectors; v++) {
        i32x16 sums[MAX_ROWS][PARTS] = {0};
        UNROLL for (size_t octet = 0; octet < kind.inputs / OCTET; octet++) {
            octet_words words = load_octet(kind, q, slice, octet, lane + v * LANES);
            UNROLL for (uint32_t pair = 0; pair < OCTET / 2; pair++) {
                u32x16 codes = octet_pairs(kind, q, words, pair);
                UNROLL for (size_t r = 0; r < rows; r++) {
                    UNROLL for (size_t n = 0; n < PARTS; n++) {
                        int32_t limbs = record_of(x, r)->words[n][x.input / 2 + octet * OCTET / 2 + pair];
                        sums[r][n] = add_products(sums[r][n], codes, limbs);
                    }
                }
            }
        }
        UNROLL for (size_t r = 0; r < rows; r++) {
            acc[r][v] = add_slice(sums[r], record_of(x, r)->scale, acc[r][v]);
        }
    }
}

/// To [inputs / 2, 64, 2].
INLINE void unpack_slice(code_kind kind, const quire_quantized *q, const char *slice, void *unpacked) {
    for (size_t octet = 0; octet < kind.inputs / OCTET; octet++) {
        for (size_t lane = 0; lane < quire_panel_width; lane += LANES) {
            octet_words words = load_octet(kind, q, slice, octet, lane);
            UNROLL for (uint32_t pair = 0; pair < OCTET / 2; pair++) {
                size_t index = (octet * OCTET / 2 + pair) * quire_panel_width + lane;
                *(u32x16_anywhere *)((uint32_t *)unpacked + index) = octet_pairs(kind, q, words, pair);
            }
        }
    }
}

#include "linear_limbs.h"

#pragma clang attribute pop

#endif
