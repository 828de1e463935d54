// Prepacking: weights from stored rows to panels of 64 outputs.
#include "quantized_layout.h"

#include <string.h>

static size_t element_size(quire_dtype dtype) { return dtype == quire_dtype_f32 ? 4 : 2; }

static size_t panel_depth(quire_dtype dtype, size_t k) { return dtype == quire_dtype_bf16 ? (k + 1) / 2 * 2 : k; }

size_t quire_panel_count(size_t n) { return (n + quire_panel_width - 1) / quire_panel_width; }

size_t quire_prepacked_byte_count(quire_dtype dtype, size_t n, size_t k) {
    return quire_panel_count(n) * panel_depth(dtype, k) * quire_panel_width * element_size(dtype);
}

/// The index of number `i` of output `lane` in a panel.
static size_t panel_index(quire_dtype dtype, size_t lane, size_t i) {
    return dtype == quire_dtype_bf16 ? (i / 2 * quire_panel_width + lane) * 2 + i % 2 : i * quire_panel_width + lane;
}

void quire_prepack(quire_dtype dtype, const void *source, size_t source_stride, size_t n, size_t k, void *panels,
                size_t panel_begin, size_t panel_end) {
    size_t size = element_size(dtype), depth = panel_depth(dtype, k);
    // A run of columns at a time, so that the panel's cache lines are still in the cache for the next row.
    enum { RUN = 32 };
    for (size_t p = panel_begin; p < panel_end; p++) {
        char *panel = (char *)panels + p * depth * quire_panel_width * size;
        size_t first = p * quire_panel_width;
        size_t lanes = n - first < quire_panel_width ? n - first : quire_panel_width;
        if (lanes < quire_panel_width || depth != k) {
            memset(panel, 0, depth * quire_panel_width * size);
        }
        for (size_t start = 0; start < k; start += RUN) {
            size_t end = start + RUN < k ? start + RUN : k;
            for (size_t lane = 0; lane < lanes; lane++) {
                const char *row = (const char *)source + (first + lane) * source_stride * size;
                if (dtype == quire_dtype_f32) {
                    const float *from = (const float *)row;
                    float *to = (float *)panel + lane;
                    for (size_t i = start; i < end; i++) { to[i * quire_panel_width] = from[i]; }
                } else {
                    const uint16_t *from = (const uint16_t *)row;
                    uint16_t *to = (uint16_t *)panel;
                    for (size_t i = start; i < end; i++) { to[panel_index(dtype, lane, i)] = from[i]; }
                }
            }
        }
    }
}

// Reading stored rows: the codes of inputs in each format, and the scales of its groups.

/// Field `index` of a stream of `bits`-bit fields in little-endian words.
static inline uint32_t stream_field(const uint8_t *words, size_t bits, size_t index) {
    size_t bit = index * bits;
    // A field of up to eight bits spans at most two bytes.
    uint32_t low = words[bit / 8], high = bit % 8 + bits > 8 ? words[bit / 8 + 1] : 0;
    return (low | high << 8) >> bit % 8 & ((1u << bits) - 1);
}

/// The codes of inputs `first ..< first + count`, which lie in one block.
static inline void stored_codes(const quire_quantized *q, quire_stored_rows stored, const uint8_t *row, size_t first,
                                 size_t count, uint8_t *codes) {
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
            case quire_stored_groups: codes[i] = (uint8_t)stream_field(row, q->bits, first + i); break;
            case quire_stored_q4_0:
            case quire_stored_q4_1:
                nibbles = small + (stored == quire_stored_q4_0 ? 2 : 4);
                codes[i] = e < 16 ? nibbles[e] & 15 : nibbles[e - 16] >> 4;
                break;
            case quire_stored_q5_0:
            case quire_stored_q5_1:
                fifth = small + (stored == quire_stored_q5_0 ? 2 : 4);
                nibbles = fifth + 4;
                codes[i] = (uint8_t)((e < 16 ? nibbles[e] & 15 : nibbles[e - 16] >> 4)
                                      | (fifth[e / 8] >> e % 8 & 1) << 4);
                break;
            case quire_stored_q8_0: codes[i] = small[2 + e] ^ 0x80; break;
            case quire_stored_q4_k:
                nibbles = large + 16 + group / 2 * 32;
                codes[i] = group % 2 == 0 ? nibbles[e] & 15 : nibbles[e] >> 4;
                break;
            case quire_stored_q5_k:
                nibbles = large + 48 + group / 2 * 32;
                codes[i] = (uint8_t)((group % 2 == 0 ? nibbles[e] & 15 : nibbles[e] >> 4)
                                      | (large[16 + e] >> group & 1) << 4);
                break;
            case quire_stored_q6_k: {
                size_t half = inside / 128, part = inside % 128 / 32;
                uint8_t pair = large[half * 64 + part % 2 * 32 + e];
                codes[i] = (uint8_t)((part < 2 ? pair & 15 : pair >> 4)
                                      | (large[128 + half * 32 + e] >> 2 * part & 3) << 4);
                break;
            }
        }
    }
}

/// Scale and minimum number `index` of eight, six bits each in twelve bytes (ggml-quants.c, `get_scale_min_k4`).
static inline void six_bit_scales(const uint8_t *bytes, size_t index, uint8_t *scale, uint8_t *minimum) {
    if (index < 4) {
        *scale = bytes[index] & 63;
        *minimum = bytes[index + 4] & 63;
    } else {
        *scale = (uint8_t)((bytes[index + 4] & 15) | bytes[index - 4] >> 6 << 4);
        *minimum = (uint8_t)(bytes[index + 4] >> 4 | bytes[index] >> 6 << 4);
    }
}

size_t quire_quantized_panel_byte_count(const quire_quantized *q) { return shape_of(q).panel_bytes; }

/// Writes the codes of a slice, [inputs] of one output, into the planes at `slice`, which must be zero.
static void write_codes(const quire_quantized *q, const uint8_t *codes, uint32_t *slice, size_t lane) {
    size_t inputs = slice_inputs(q->bits), done = 0;
    for (size_t width = 8; width > 0; width /= 2) {
        if (!(q->bits & width)) {
            continue;
        }
        // The largest plane has the lowest bits.
        size_t per_word = 32 / width;
        for (size_t i = 0; i < inputs; i++) {
            uint32_t field = codes[i] >> done & ((1u << width) - 1);
            size_t field_index = i % per_word;
            size_t shift = 16 * (field_index % 2) + width * (field_index / 2);
            slice[i / per_word * quire_panel_width + lane] |= field << shift;
        }
        slice += inputs * width / 32 * quire_panel_width;
        done += width;
    }
}

/// Writes the scale of output `lane`, `size` bytes.
static void write_scale(char *scales, size_t lane, const void *from, size_t size) {
    memcpy(scales + lane * size, from, size);
}

/// Writes the scales of group `g` of one stored row.
static void write_scales(const quire_quantized *q, quire_stored_rows stored, const uint8_t *row, size_t row_zeros,
                       size_t row_scales, const quantized_group *g, size_t lane) {
    char *scales = (char *)(uintptr_t)g->scales, *outer = (char *)(uintptr_t)g->outer;
    size_t size = scale_size(q), half = quire_panel_width * size;
    const uint8_t *block;
    switch (stored) {
        case quire_stored_groups:
            write_scale(scales, lane, row + row_scales + g->index * size, size);
            if (q->scaling == quire_scaling_zeros) {
                uint32_t *words = (uint32_t *)(uintptr_t)g->zeros;
                words[lane] |= stream_field(row + row_zeros, q->bits, g->index) << g->zero_shift;
            }
            break;
        case quire_stored_q4_0: write_scale(scales, lane, row + g->index * 18, 2); break;
        case quire_stored_q5_0: write_scale(scales, lane, row + g->index * 22, 2); break;
        case quire_stored_q8_0: write_scale(scales, lane, row + g->index * 34, 2); break;
        case quire_stored_q4_1:
        case quire_stored_q5_1:
            block = row + g->index * (stored == quire_stored_q4_1 ? 20 : 24);
            write_scale(scales, lane, block, 2);
            write_scale(scales + half, lane, block + 2, 2);
            break;
        case quire_stored_q4_k:
        case quire_stored_q5_k:
            block = row + g->index / 8 * (stored == quire_stored_q4_k ? 144 : 176);
            write_scale(outer, lane, block, 2);
            write_scale(outer + quire_panel_width * 2, lane, block + 2, 2);
            six_bit_scales(block + 4, g->index % 8, (uint8_t *)scales + lane,
                           (uint8_t *)scales + quire_panel_width + lane);
            break;
        case quire_stored_q6_k:
            block = row + g->index / 16 * 210;
            write_scale(outer, lane, block + 208, 2);
            scales[lane] = (char)block[192 + g->index % 16];
            break;
    }
}

void quire_prepack_quantized(const quire_quantized *q, quire_stored_rows stored, const void *rows,
                             size_t row_byte_count, void *panels, size_t panel) {
    panel_shape shape = shape_of(q);
    char *start = (char *)panels + panel * shape.panel_bytes;
    memset(start, 0, shape.panel_bytes);
    size_t first = panel * quire_panel_width, inputs = slice_inputs(q->bits);
    size_t lanes = q->n - first < quire_panel_width ? q->n - first : quire_panel_width;
    size_t row_zeros = (q->k * q->bits + 31) / 32 * 4;
    size_t row_scales = row_zeros + (q->scaling == quire_scaling_zeros ? (shape.groups * q->bits + 31) / 32 * 4 : 0);
    quantized_group g = first_group(&shape, start);
    for (size_t index = 0; index < shape.groups; index++) {
        for (size_t lane = 0; lane < lanes; lane++) {
            const uint8_t *row = (const uint8_t *)rows + lane * row_byte_count;
            write_scales(q, stored, row, row_zeros, row_scales, &g, lane);
            for (size_t slice = 0; slice < g.slices; slice++) {
                uint8_t codes[32] = {0};
                size_t input = index * q->group_size + slice * inputs;
                size_t count = q->k - input < inputs ? q->k - input : inputs;
                stored_codes(q, stored, row, input, count, codes);
                write_codes(q, codes, (uint32_t *)(uintptr_t)(g.codes + slice * shape.slice_bytes), lane);
            }
        }
        if (index + 1 < shape.groups) {
            g = next_group(&shape, g);
        }
    }
}
