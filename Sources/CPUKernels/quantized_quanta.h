// Eight inputs at a time out of the planes of a slice: as f32, sixteen outputs to a vector.
#ifndef QUIRE_QUANTIZED_QUANTA_H
#define QUIRE_QUANTIZED_QUANTA_H

#include "numbers.h"
#include "quantized_layout.h"

/// Inputs that a step takes.
enum { STEP = 8 };

/// The words that hold eight inputs of sixteen outputs, shifted so that they begin at the halves' lowest bits.
typedef struct step_words {
    /// The plane of the lowest bits; for eight bits the first four inputs.
    u32x16 low;
    /// The plane of the highest bits, where there are two; for eight bits the last four inputs.
    u32x16 high;
} step_words;

/// Words of sixteen outputs from `lane` on.
INLINE u32x16 plane_words(const char *plane, size_t word, size_t lane) {
    return *(const u32x16_anywhere *)(plane + (word * quire_panel_width + lane) * 4);
}

/// Step `step` of the slice at `slice`, which has `inputs` of them.
INLINE step_words load_step(size_t bits, size_t inputs, const char *slice, size_t step, size_t lane) {
    // A plane of p bits has `inputs * p / 32` words of 64 outputs.
    size_t words = quire_panel_width * 4 * inputs / 32;
    step_words w;
    switch (bits) {
        case 2:
            w.low = w.high = plane_words(slice, step / 2, lane) >> (uint32_t)(step % 2 * 8);
            return w;
        case 3:
            w.low = plane_words(slice, step / 2, lane) >> (uint32_t)(step % 2 * 8);
            w.high = plane_words(slice + 2 * words, 0, lane) >> (uint32_t)(step * 4);
            return w;
        case 5:
            w.low = plane_words(slice, step, lane);
            w.high = plane_words(slice + 4 * words, 0, lane) >> (uint32_t)(step * 4);
            return w;
        case 6:
            w.low = plane_words(slice, step, lane);
            w.high = plane_words(slice + 4 * words, step / 2, lane) >> (uint32_t)(step % 2 * 8);
            return w;
        case 8:
            w.low = plane_words(slice, 2 * step, lane);
            w.high = plane_words(slice, 2 * step + 1, lane);
            return w;
        default:
            w.low = w.high = plane_words(slice, step, lane);
            return w;
    }
}

/// Quanta of input `i` of the step, as 32-bit integers.
INLINE u32x16 step_integers(size_t bits, step_words w, size_t i) {
    uint32_t half = (uint32_t)(i % 2 * 16), pair = (uint32_t)(i / 2);
    switch (bits) {
        case 2: return w.low >> (half + 2 * pair) & 3;
        case 3: return (w.low >> (half + 2 * pair) & 3) | (w.high >> (half + pair) & 1) << 2;
        case 5: return (w.low >> (half + 4 * pair) & 15) | (w.high >> (half + pair) & 1) << 4;
        case 6: return (w.low >> (half + 4 * pair) & 15) | (w.high >> (half + 2 * pair) & 3) << 4;
        case 8: return (i < 4 ? w.low : w.high) >> (half + 8 * (pair % 2)) & 255;
        default: return w.low >> (half + 4 * pair) & 15;
    }
}

/// The same as f32, exactly.
INLINE f32x16 step_floats(size_t bits, step_words w, size_t i) {
#ifdef quire_has_float_lookup
    // The lookup ignores what an index has above its four lowest bits: neither mask nor conversion.
    uint32_t half = (uint32_t)(i % 2 * 16), pair = (uint32_t)(i / 2);
    if (bits == 4) {
        const f32x16 table = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
        return float_lookup(table, w.low >> (half + 4 * pair));
    }
    if (bits == 2) {
        const f32x16 table = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};
        return float_lookup(table, w.low >> (half + 2 * pair));
    }
#endif
    // Signed: below AVX-512 only that conversion is one instruction.
    return __builtin_convertvector(__builtin_bit_cast(i32x16, step_integers(bits, w, i)), f32x16);
}

#endif
