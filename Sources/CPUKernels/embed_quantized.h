// Single rows out of panels of quantized weights.
#ifndef QUIRE_EMBED_QUANTIZED_H
#define QUIRE_EMBED_QUANTIZED_H

#include "quantized_layout.h"

#include "numbers.h"

/// The quantum of input `i` of a slice, for output `lane`.
INLINE uint32_t quantum_at(const quire_quantized *q, const char *slice, size_t i, size_t lane) {
    uint32_t quantum = 0;
    size_t done = 0;
    for (size_t width = 8; width > 0; width /= 2) {
        if (!(q->bits & width)) {
            continue;
        }
        size_t per_word = 32 / width, place = i % per_word;
        uint32_t word;
        memcpy(&word, slice + (i / per_word * quire_panel_width + lane) * 4, sizeof word);
        quantum |= (word >> (16 * (place % 2) + width * (place / 2)) & ((1u << width) - 1)) << done;
        slice += slice_inputs(q->bits) * width / 32 * quire_panel_width * 4;
        done += width;
    }
    return quantum;
}

INLINE float number_at(quire_dtype dtype, const char *from, size_t index) {
    return load_part_as(dtype, from, index, 1)[0];
}

/// What a quantum of a group is for output `lane`: each format's own products and sums, in its own order.
INLINE float weight_of(const quire_quantized *q, const quantized_group *g, size_t lane, uint32_t quantum) {
    float middle = (float)(1u << (q->bits - 1)), value = (float)quantum;
    uint32_t word;
    switch (q->scaling) {
        case quire_scaling_centred: return (value - middle) * number_at(q->scale_dtype, g->scales, lane);
        case quire_scaling_zeros:
            memcpy(&word, g->zeros + lane * 4, sizeof word);
            word = word >> g->zero_shift & ((1u << q->bits) - 1);
            return (value - (float)word) * number_at(q->scale_dtype, g->scales, lane);
        case quire_scaling_minimum: {
            float scaled = value * number_at(q->scale_dtype, g->scales, lane);
            return scaled + number_at(q->scale_dtype, g->scales, quire_panel_width + lane);
        }
        case quire_scaling_nested_minimum: {
            float scale = number_at(quire_dtype_f16, g->outer, lane) * (float)(uint8_t)g->scales[lane];
            float minimum = number_at(quire_dtype_f16, g->outer, quire_panel_width + lane)
                            * (float)(uint8_t)g->scales[quire_panel_width + lane];
            float scaled = scale * value;
            return scaled - minimum;
        }
        case quire_scaling_nested_centred: {
            float scale = number_at(quire_dtype_f16, g->outer, lane) * (float)(int8_t)g->scales[lane];
            return scale * (value - middle);
        }
    }
    return 0;
}

static void embed_quantized(const quire_quantized *q, const void *packed, const int32_t *ids, size_t count, float scale,
                            float *y, size_t y_stride) {
    panel_shape shape = shape_of(q);
    size_t inputs = slice_inputs(q->bits);
    for (size_t t = 0; t < count; t++) {
        size_t id = (size_t)ids[t], lane = id % quire_panel_width, inside = 0;
        quantized_group g = first_group(&shape, (const char *)packed + id / quire_panel_width * shape.panel_bytes);
        for (size_t i = 0; i < q->k; i++, inside++) {
            if (inside == q->group_size) {
                g = next_group(&shape, g);
                inside = 0;
            }
            const char *slice = g.quanta + inside / inputs * shape.slice_bytes;
            y[t * y_stride + i] = weight_of(q, &g, lane, quantum_at(q, slice, inside % inputs, lane)) * scale;
        }
    }
}

#endif
