// Quantized weights from stored rows to panels of 64 outputs.
#include "quantized_rows.h"

size_t quire_quantized_panel_byte_count(const quire_quantized *q) { return shape_of(q).panel_bytes; }

/// Puts the quanta of a slice, [inputs] of one output, into the planes at `slice`, which are zeros so far.
static void put_quanta(const quire_quantized *q, const uint8_t *quanta, uint32_t *slice, size_t lane) {
    size_t inputs = slice_inputs(q->bits), done = 0;
    for (size_t width = 8; width > 0; width /= 2) {
        if (!(q->bits & width)) {
            continue;
        }
        // The largest plane has the lowest bits.
        size_t per_word = 32 / width;
        for (size_t i = 0; i < inputs; i++) {
            uint32_t field = quanta[i] >> done & ((1u << width) - 1);
            size_t place = i % per_word;
            slice[i / per_word * quire_panel_width + lane] |= field << (16 * (place % 2) + width * (place / 2));
        }
        slice += inputs * width / 32 * quire_panel_width;
        done += width;
    }
}

/// Copies number `lane` of `size` bytes.
static void put_scale(char *scales, size_t lane, const void *from, size_t size) {
    memcpy(scales + lane * size, from, size);
}

/// Puts the scales of group `g` of one stored row.
static void put_scales(const quire_quantized *q, quire_stored_rows stored, const uint8_t *row, size_t row_zeros,
                       size_t row_scales, const quantized_group *g, size_t lane) {
    char *scales = (char *)(uintptr_t)g->scales, *outer = (char *)(uintptr_t)g->outer;
    size_t size = scale_size(q), half = quire_panel_width * size;
    const uint8_t *block;
    switch (stored) {
        case quire_stored_groups:
            put_scale(scales, lane, row + row_scales + g->index * size, size);
            if (q->scaling == quire_scaling_zeros) {
                uint32_t *words = (uint32_t *)(uintptr_t)g->zeros;
                words[lane] |= stream_field(row + row_zeros, q->bits, g->index) << g->zero_shift;
            }
            break;
        case quire_stored_q4_0: put_scale(scales, lane, row + g->index * 18, 2); break;
        case quire_stored_q5_0: put_scale(scales, lane, row + g->index * 22, 2); break;
        case quire_stored_q8_0: put_scale(scales, lane, row + g->index * 34, 2); break;
        case quire_stored_q4_1:
        case quire_stored_q5_1:
            block = row + g->index * (stored == quire_stored_q4_1 ? 20 : 24);
            put_scale(scales, lane, block, 2);
            put_scale(scales + half, lane, block + 2, 2);
            break;
        case quire_stored_q4_k:
        case quire_stored_q5_k:
            block = row + g->index / 8 * (stored == quire_stored_q4_k ? 144 : 176);
            put_scale(outer, lane, block, 2);
            put_scale(outer + quire_panel_width * 2, lane, block + 2, 2);
            six_bit_scales(block + 4, g->index % 8, (uint8_t *)scales + lane,
                           (uint8_t *)scales + quire_panel_width + lane);
            break;
        case quire_stored_q6_k:
            block = row + g->index / 16 * 210;
            put_scale(outer, lane, block + 208, 2);
            scales[lane] = (char)block[192 + g->index % 16];
            break;
    }
}

void quire_pack_quantized(const quire_quantized *q, quire_stored_rows stored, const void *rows, size_t row_byte_count,
                          void *packed, size_t panel) {
    panel_shape shape = shape_of(q);
    char *start = (char *)packed + panel * shape.panel_bytes;
    memset(start, 0, shape.panel_bytes);
    size_t first = panel * quire_panel_width, inputs = slice_inputs(q->bits);
    size_t lanes = q->n - first < quire_panel_width ? q->n - first : quire_panel_width;
    size_t row_zeros = (q->k * q->bits + 31) / 32 * 4;
    size_t row_scales = row_zeros + (q->scaling == quire_scaling_zeros ? (shape.groups * q->bits + 31) / 32 * 4 : 0);
    quantized_group g = first_group(&shape, start);
    for (size_t index = 0; index < shape.groups; index++) {
        for (size_t lane = 0; lane < lanes; lane++) {
            const uint8_t *row = (const uint8_t *)rows + lane * row_byte_count;
            put_scales(q, stored, row, row_zeros, row_scales, &g, lane);
            for (size_t slice = 0; slice < g.slices; slice++) {
                uint8_t quanta[32] = {0};
                size_t input = index * q->group_size + slice * inputs;
                size_t count = q->k - input < inputs ? q->k - input : inputs;
                stored_quanta(q, stored, row, input, count, quanta);
                put_quanta(q, quanta, (uint32_t *)(uintptr_t)(g.quanta + slice * shape.slice_bytes), lane);
            }
        }
        if (index + 1 < shape.groups) {
            g = next_group(&shape, g);
        }
    }
}
