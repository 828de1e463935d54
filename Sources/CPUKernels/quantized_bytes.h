// Quanta as bytes, four inputs to a word: unpacked by shifts and masks of whole words.
#ifndef QUIRE_QUANTIZED_BYTES_H
#define QUIRE_QUANTIZED_BYTES_H

#include "quantized_quanta.h"

/// The two words of four bytes that a step is: inputs 0, 4, 1, 5 and 2, 6, 3, 7.
typedef struct byte_words {
    u32x16 words[2];
} byte_words;

INLINE u32x16 shifted(u32x16 x, int by) { return by >= 0 ? x << (uint32_t)by : x >> (uint32_t)-by; }

/// Fields of `width` bits of word `word`, at bit `place` of each byte.
INLINE u32x16 spread(u32x16 plane, int width, int place, int word) {
    uint32_t mask = ((1u << width) - 1) << place;
    u32x16 first = shifted(plane, place - width * word) & mask * 0x00010001u;
    return first | (shifted(plane, place + 8 - width * (word + 2)) & mask * 0x01000100u);
}

INLINE byte_words step_bytes(size_t bits, step_words w) {
    byte_words b;
    UNROLL for (int word = 0; word < 2; word++) {
        switch (bits) {
            case 2: b.words[word] = spread(w.low, 2, 0, word); break;
            case 3: b.words[word] = spread(w.low, 2, 0, word) | spread(w.high, 1, 2, word); break;
            case 5: b.words[word] = spread(w.low, 4, 0, word) | spread(w.high, 1, 4, word); break;
            case 6: b.words[word] = spread(w.low, 4, 0, word) | spread(w.high, 2, 4, word); break;
            case 8: {
                // Inputs 0, 2, 1, 3 and 4, 6, 5, 7.
                const uint32_t even = 0x00ff00ff, odd = 0xff00ff00;
                b.words[word] = word == 0 ? (w.low & even) | (w.high << 8 & odd) : (w.low >> 8 & even) | (w.high & odd);
                break;
            }
            default: b.words[word] = spread(w.low, 4, 0, word); break;
        }
    }
    return b;
}

#endif
