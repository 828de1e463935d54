// Quanta as pairs of bf16, which hold integers up to 256 exactly: a lookup brings 32 of them out of a register at once.
#ifndef QUIRE_QUANTIZED_PAIRS_H
#define QUIRE_QUANTIZED_PAIRS_H

#include "quantized_input.h"
#include "quantized_quanta.h"
#include "tile.h"

/// bf16 of 0 to 63.
static const uint16_t bf16_integers[64] = {
    0x0000, 0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0, 0x40e0, 0x4100, 0x4110, 0x4120, 0x4130, 0x4140,
    0x4150, 0x4160, 0x4170, 0x4180, 0x4188, 0x4190, 0x4198, 0x41a0, 0x41a8, 0x41b0, 0x41b8, 0x41c0, 0x41c8,
    0x41d0, 0x41d8, 0x41e0, 0x41e8, 0x41f0, 0x41f8, 0x4200, 0x4204, 0x4208, 0x420c, 0x4210, 0x4214, 0x4218,
    0x421c, 0x4220, 0x4224, 0x4228, 0x422c, 0x4230, 0x4234, 0x4238, 0x423c, 0x4240, 0x4244, 0x4248, 0x424c,
    0x4250, 0x4254, 0x4258, 0x425c, 0x4260, 0x4264, 0x4268, 0x426c, 0x4270, 0x4274, 0x4278, 0x427c,
};

/// Entry i of 32 is bf16 of `i % period`: an index may have anything in the bits above.
INLINE __m512i lookup_table(size_t period) {
    __m512i table = _mm512_loadu_si512(bf16_integers);
    if (period == 16) {
        return _mm512_inserti64x4(table, _mm512_castsi512_si256(table), 1);
    }
    return period == 4 ? _mm512_broadcastq_epi64(_mm512_castsi512_si128(table)) : table;
}

/// Pair `pair` of the step: inputs 2 pair and 2 pair + 1 of sixteen outputs.
INLINE __m512bh step_pairs(size_t bits, step_words w, size_t pair) {
    __m512i low = (__m512i)w.low, high = (__m512i)w.high;
    unsigned p = (unsigned)pair;
    __m512i index;
    switch (bits) {
        case 2: return (__m512bh)_mm512_permutexvar_epi16(_mm512_srli_epi16(low, 2 * p), lookup_table(4));
        case 3:
            index = _mm512_and_si512(_mm512_srli_epi16(low, 2 * p), _mm512_set1_epi16(3));
            high = _mm512_and_si512(_mm512_srli_epi16(high, p), _mm512_set1_epi16(1));
            index = _mm512_or_si512(index, _mm512_slli_epi16(high, 2));
            return (__m512bh)_mm512_permutexvar_epi16(index, lookup_table(32));
        case 5:
            index = _mm512_and_si512(_mm512_srli_epi16(low, 4 * p), _mm512_set1_epi16(15));
            high = _mm512_and_si512(_mm512_srli_epi16(high, p), _mm512_set1_epi16(1));
            index = _mm512_or_si512(index, _mm512_slli_epi16(high, 4));
            return (__m512bh)_mm512_permutexvar_epi16(index, lookup_table(32));
        case 6:
            index = _mm512_and_si512(_mm512_srli_epi16(low, 4 * p), _mm512_set1_epi16(15));
            high = _mm512_and_si512(_mm512_srli_epi16(high, 2 * p), _mm512_set1_epi16(3));
            index = _mm512_or_si512(index, _mm512_slli_epi16(high, 4));
            return (__m512bh)_mm512_permutex2var_epi16(_mm512_loadu_si512(bf16_integers), index,
                                                       _mm512_loadu_si512(bf16_integers + 32));
        case 8: {
            // Too many for a lookup: two conversions to f32, whose upper halves are the bf16.
            f32x16 even = step_floats(8, w, 2 * pair), odd = step_floats(8, w, 2 * pair + 1);
            return (__m512bh)(bits_of(even) >> 16 | bits_of(odd));
        }
        default: return (__m512bh)_mm512_permutexvar_epi16(_mm512_srli_epi16(low, 4 * p), lookup_table(16));
    }
}

INLINE __m512bh splat_pair(const char *x) {
    int32_t pair;
    memcpy(&pair, x, sizeof pair);
    return (__m512bh)_mm512_set1_epi32(pair);
}

/// Adds the products of one step to `acc`.
INLINE void pairs_step(size_t bits, size_t rows, size_t vectors, size_t inputs, const char *slice, size_t step,
                       size_t lane, input_rows x, accumulators acc) {
    step_words words[PANEL_VECTORS];
    UNROLL for (size_t v = 0; v < vectors; v++) { words[v] = load_step(bits, inputs, slice, step, lane + v * LANES); }
    UNROLL for (size_t pair = 0; pair < STEP / 2; pair++) {
        __m512bh weights[PANEL_VECTORS];
        UNROLL for (size_t v = 0; v < vectors; v++) { weights[v] = step_pairs(bits, words[v], pair); }
        UNROLL for (size_t r = 0; r < rows; r++) {
            __m512bh value = splat_pair(x.first + r * x.stride + (step * STEP + 2 * pair) * 2);
            UNROLL for (size_t v = 0; v < vectors; v++) {
                acc[r][v] = (f32x16)_mm512_dpbf16_ps((__m512)acc[r][v], weights[v], value);
            }
        }
    }
}

/// Unpacks a slice to [inputs / 2, 64, 2].
INLINE void unpack_pairs(size_t bits, size_t inputs, const char *slice, void *unpacked) {
    for (size_t step = 0; step < inputs / STEP; step++) {
        for (size_t lane = 0; lane < quire_panel_width; lane += LANES) {
            step_words words = load_step(bits, inputs, slice, step, lane);
            UNROLL for (size_t pair = 0; pair < STEP / 2; pair++) {
                size_t place = (step * STEP / 2 + pair) * quire_panel_width + lane;
                _mm512_storeu_si512((uint32_t *)unpacked + place, (__m512i)step_pairs(bits, words, pair));
            }
        }
    }
}

/// Adds the products of an unpacked slice to `acc`.
INLINE void multiply_pairs(size_t rows, size_t vectors, input_rows x, const void *unpacked, size_t lane, size_t inputs,
                           accumulators acc) {
    for (size_t pair = 0; pair < inputs / 2; pair++) {
        const uint32_t *from = (const uint32_t *)unpacked + pair * quire_panel_width + lane;
        __m512bh weights[PANEL_VECTORS];
        UNROLL for (size_t v = 0; v < vectors; v++) { weights[v] = (__m512bh)_mm512_loadu_si512(from + v * LANES); }
        UNROLL for (size_t r = 0; r < rows; r++) {
            __m512bh value = splat_pair(x.first + r * x.stride + pair * 4);
            UNROLL for (size_t v = 0; v < vectors; v++) {
                acc[r][v] = (f32x16)_mm512_dpbf16_ps((__m512)acc[r][v], weights[v], value);
            }
        }
    }
}

#endif
