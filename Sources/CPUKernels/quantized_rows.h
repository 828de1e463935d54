// Quanta of stored rows: what each format has at an input, and the scales of its groups. Only packing reads them.
#ifndef QUIRE_QUANTIZED_ROWS_H
#define QUIRE_QUANTIZED_ROWS_H

#include "quantized_layout.h"

#include <string.h>

/// Field `index` of a stream of `bits`-bit fields in little-endian words.
static inline uint32_t stream_field(const uint8_t *words, size_t bits, size_t index) {
    size_t bit = index * bits;
    // A field of eight bits or fewer lies in two bytes at most.
    uint32_t low = words[bit / 8], high = bit % 8 + bits > 8 ? words[bit / 8 + 1] : 0;
    return (low | high << 8) >> bit % 8 & ((1u << bits) - 1);
}

/// The quanta of inputs `first ..< first + count`, which lie in one block.
static inline void stored_quanta(const quire_quantized *q, quire_stored_rows stored, const uint8_t *row, size_t first,
                                 size_t count, uint8_t *quanta) {
    size_t at = first % 32;
    const uint8_t *small = row + first / 32 * (stored == quire_stored_q4_0   ? 18
                                               : stored == quire_stored_q4_1 ? 20
                                               : stored == quire_stored_q5_0 ? 22
                                               : stored == quire_stored_q5_1 ? 24
                                                                             : 34);
    const uint8_t *large = row + first / 256 * (stored == quire_stored_q4_k   ? 144
                                                : stored == quire_stored_q5_k ? 176
                                                                              : 210);
    size_t inside = first % 256, group = inside / 32;
    for (size_t i = 0; i < count; i++) {
        size_t e = at + i;
        const uint8_t *nibbles, *fifth;
        switch (stored) {
            case quire_stored_groups: quanta[i] = (uint8_t)stream_field(row, q->bits, first + i); break;
            case quire_stored_q4_0:
            case quire_stored_q4_1:
                nibbles = small + (stored == quire_stored_q4_0 ? 2 : 4);
                quanta[i] = e < 16 ? nibbles[e] & 15 : nibbles[e - 16] >> 4;
                break;
            case quire_stored_q5_0:
            case quire_stored_q5_1:
                fifth = small + (stored == quire_stored_q5_0 ? 2 : 4);
                nibbles = fifth + 4;
                quanta[i] = (uint8_t)((e < 16 ? nibbles[e] & 15 : nibbles[e - 16] >> 4)
                                      | (fifth[e / 8] >> e % 8 & 1) << 4);
                break;
            case quire_stored_q8_0: quanta[i] = small[2 + e] ^ 0x80; break;
            case quire_stored_q4_k:
                nibbles = large + 16 + group / 2 * 32;
                quanta[i] = group % 2 == 0 ? nibbles[e] & 15 : nibbles[e] >> 4;
                break;
            case quire_stored_q5_k:
                nibbles = large + 48 + group / 2 * 32;
                quanta[i] = (uint8_t)((group % 2 == 0 ? nibbles[e] & 15 : nibbles[e] >> 4)
                                      | (large[16 + e] >> group & 1) << 4);
                break;
            case quire_stored_q6_k: {
                size_t half = inside / 128, part = inside % 128 / 32;
                uint8_t pair = large[half * 64 + part % 2 * 32 + e];
                quanta[i] = (uint8_t)((part < 2 ? pair & 15 : pair >> 4)
                                      | (large[128 + half * 32 + e] >> 2 * part & 3) << 4);
                break;
            }
        }
    }
}

/// Scale and minimum number `index` of eight, six bits each in twelve bytes (ggml-quants.c, `get_scale_min_k4`).
static inline void six_bit_scales(const uint8_t *packed, size_t index, uint8_t *scale, uint8_t *minimum) {
    if (index < 4) {
        *scale = packed[index] & 63;
        *minimum = packed[index + 4] & 63;
    } else {
        *scale = (uint8_t)((packed[index + 4] & 15) | packed[index - 4] >> 6 << 4);
        *minimum = (uint8_t)(packed[index + 4] >> 4 | packed[index] >> 6 << 4);
    }
}

#endif
