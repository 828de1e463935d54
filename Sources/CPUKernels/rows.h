// Rows that are converted, reordered, written to the cache, or looked up in a table.
#ifndef QUIRE_ROWS_H
#define QUIRE_ROWS_H

#include "int8_heads.h"
#include "numbers.h"
#include "quantized_layout.h"

INLINE void round_row(quire_dtype dtype, const float *x, void *y, size_t index, size_t width) {
    for (size_t i = 0; i < width; i += LANES) {
        store_as(dtype, y, index + i, load_some(x + i, width - i), width - i);
    }
}

/// `y = x * scale`; a scale of 1 changes nothing.
INLINE void widen_row(quire_dtype dtype, const void *x, size_t index, float *y, size_t width, float scale) {
    size_t i = 0;
    for (; i + LANES <= width; i += LANES) { store(y + i, load_as(dtype, x, index + i) * scale); }
    if (i < width) {
        store_part(y + i, load_part_as(dtype, x, index + i, width - i) * scale, width - i);
    }
}

static void convert_from_f32(quire_dtype dtype, const float *x, size_t x_stride, void *y, size_t y_stride,
                             size_t rows, size_t width, int pad_to_even) {
    for (size_t r = 0; r < rows; r++) {
        round_row(dtype, x + r * x_stride, y, r * y_stride, width);
        if (pad_to_even && width % 2) {
            store_as(dtype, y, r * y_stride + width, splat(0), 1);
        }
    }
}

static void reorder_from_f32(quire_dtype dtype, const float *x, size_t x_stride, const int32_t *order, void *y,
                             size_t y_stride, size_t rows, size_t width) {
    for (size_t r = 0; r < rows; r++) {
        const float *row = x + r * x_stride;
        for (size_t i = 0; i < width; i += LANES) {
            size_t count = smaller(width - i, LANES);
            float gathered[LANES] = {0};
            for (size_t j = 0; j < count; j++) { gathered[j] = row[order[i + j]]; }
            store_as(dtype, y, r * y_stride + i, load(gathered), count);
        }
    }
}

static void write_heads(quire_dtype dtype, const float *x, size_t x_stride, const int32_t *slots, size_t tokens,
                        size_t width, size_t head_size, size_t block_size, size_t block_stride, void *cache) {
    size_t heads = width / head_size;
    size_t stride = dtype == quire_dtype_int8 ? heads * scaled_head_size(head_size) : width;
    for (size_t t = 0; t < tokens; t++) {
        const float *row = x + t * x_stride;
        size_t slot = (size_t)slots[t], at = slot / block_size * block_stride + slot % block_size * stride;
        if (dtype == quire_dtype_int8) {
            write_scaled_heads(row, heads, head_size, (char *)cache + at);
        } else {
            round_row(dtype, row, cache, at, width);
        }
    }
}

static void embed(quire_dtype dtype, const void *table, size_t table_stride, const int32_t *ids, size_t count,
                  size_t width, float scale, float *y, size_t y_stride) {
    for (size_t t = 0; t < count; t++) {
        widen_row(dtype, table, (size_t)ids[t] * table_stride, y + t * y_stride, width, scale);
    }
}

static void embed_panels(quire_dtype dtype, const void *panels, const int32_t *ids, size_t count, size_t width,
                         float scale, float *y, size_t y_stride) {
    int paired = dtype == quire_dtype_bf16;
    size_t depth = paired ? (width + 1) / 2 * 2 : width;
    size_t size = byte_size(dtype);
    for (size_t t = 0; t < count; t++) {
        size_t id = (size_t)ids[t], lane = id % quire_panel_width;
        const char *panel = (const char *)panels + id / quire_panel_width * depth * quire_panel_width * size;
        for (size_t i = 0; i < width; i += LANES) {
            size_t length = smaller(width - i, LANES);
            uint32_t gathered[LANES];
            for (size_t j = 0; j < length; j++) {
                size_t k = i + j;
                size_t at = paired ? (k / 2 * quire_panel_width + lane) * 2 + k % 2 : k * quire_panel_width + lane;
                memcpy((char *)gathered + j * size, panel + at * size, size);
            }
            store_some(y + t * y_stride + i, load_part_as(dtype, gathered, 0, length) * scale, length);
        }
    }
}

/// The code of input `i` of a slice of rows of a grid, for output `lane`.
INLINE uint32_t grid_code_at(const quire_quantized *q, const char *slice, size_t i, size_t lane) {
    const uint8_t *bytes = (const uint8_t *)slice;
    size_t width = quire_panel_width, inputs = slice_inputs(q), octets = inputs / 8, octet = i / 8;
    size_t row_inputs = grid_inputs(q->bits), row = i / row_inputs, input = i % row_inputs;
    uint32_t index = bytes[row * width + lane], highest = 0;
    if (q->values != quire_values_signed_grid) {
        size_t nibble = lane * octets + octet;
        uint32_t field = bytes[octets * width + nibble / 2] >> nibble % 2 * 4;
        if (q->values == quire_values_ternary_grid) {
            const uint8_t *last = bytes + octets * width * 3 / 2;
            uint32_t bit = last[nibble_byte(lane)] >> nibble_shift(lane) >> octet & 1u;
            return q->grid[index | (field & 15) << 8 | bit << 12] >> (16 * (input % 2) + 2 * (input / 2)) & 3;
        }
        index |= (field & 7) << 8;
        highest = field >> 3 & 1;
    } else {
        const uint8_t *after = bytes + inputs / row_inputs * width, *upper = after + octets * width;
        highest = after[octet * width + lane] >> (i % 2 * 4 + i % 8 / 2) & 1;
        if (q->bits == 4) {
            index |= (upper[lane] >> row & 1u) << 8;
        } else if (octets == 2) {
            index |= (upper[nibble_byte(lane)] >> nibble_shift(lane) >> 2 * octet & 3u) << 8;
        }
    }
    size_t field_width = q->bits == 4 ? 4 : 2;
    uint32_t lower = q->grid[index] >> (16 * (input % 2) + field_width * (input / 2));
    return (lower & ((1u << (q->bits - 1)) - 1)) | highest << (q->bits - 1);
}

/// The code of input `i` of a slice, for output `lane`.
INLINE uint32_t code_at(const quire_quantized *q, const char *slice, size_t i, size_t lane) {
    if (has_grid(q->values)) {
        return grid_code_at(q, slice, i, lane);
    }
    uint32_t code = 0;
    size_t done = 0;
    for (size_t width = 8; width > 0; width /= 2) {
        if (!(q->bits & width)) {
            continue;
        }
        size_t at = field_at(width, slice_inputs(q), i, lane), byte = at / 8;
        code |= ((uint8_t)slice[byte] >> at % 8 & ((1u << width) - 1)) << done;
        slice += slice_inputs(q) * width / 8 * quire_panel_width;
        done += width;
    }
    return code;
}

/// What a code stands for.
INLINE float value_of(const quire_quantized *q, uint32_t code) {
    switch (q->values) {
        case quire_values_book:
        case quire_values_signed_grid:
        case quire_values_shifted_grid: return (float)q->book[code];
        case quire_values_float8: {
            uint32_t bits = (code & 0x80) << 24 | (code & 0x7f) << 20;
            return __builtin_bit_cast(float, bits) * 0x1p120f;
        }
        case quire_values_integers:
        case quire_values_ternary_grid: break;
    }
    return (float)code;
}

INLINE float number_at(quire_dtype dtype, const char *from, size_t index) {
    return load_part_as(dtype, from, index, 1)[0];
}

/// The weight that a code of a group stands for, for output `lane`: the products and sums of its format, in the
/// format's order.
INLINE float weight_of(const quire_quantized *q, const quantized_group *g, size_t lane, uint32_t code) {
    float value = value_of(q, code);
    uint32_t word;
    switch (q->scaling) {
        case quire_scaling_centred: return (value - q->middle) * number_at(q->scale_dtype, g->scales, lane);
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
            float scale = number_at(quire_dtype_f16, g->outer, lane) * (float)(int8_t)g->scales[lane] * q->factor;
            return scale * (value - q->middle);
        }
        case quire_scaling_nested_odd: {
            uint32_t odd = ((uint8_t)g->scales[nibble_byte(lane)] >> nibble_shift(lane) & 15u) * 2 + 1;
            float scale = number_at(quire_dtype_f16, g->outer, lane) * (float)odd * q->factor;
            return scale * (value - q->middle);
        }
        case quire_scaling_nested_nibbles: {
            uint8_t pair = (uint8_t)g->scales[lane];
            float scale = number_at(quire_dtype_f16, g->outer, lane) * (float)(pair & 15);
            float minimum = number_at(quire_dtype_f16, g->outer, quire_panel_width + lane) * (float)(pair >> 4);
            float scaled = scale * value;
            return scaled - minimum;
        }
    }
    return 0;
}

static void embed_quantized(const quire_quantized *q, const void *panels, const int32_t *ids, size_t count, float scale,
                            float *y, size_t y_stride) {
    panel_shape shape = shape_of(q);
    size_t inputs = slice_inputs(q);
    for (size_t t = 0; t < count; t++) {
        size_t id = (size_t)ids[t], lane = id % quire_panel_width, inside = 0;
        quantized_group g = first_group(&shape, (const char *)panels + id / quire_panel_width * shape.panel_bytes);
        for (size_t i = 0; i < q->k; i++, inside++) {
            if (inside == q->group_size) {
                g = next_group(&shape, g);
                inside = 0;
            }
            const char *slice = g.codes + inside / inputs * shape.slice_bytes;
            y[t * y_stride + i] = weight_of(q, &g, lane, code_at(q, slice, inside % inputs, lane)) * scale;
        }
    }
}

#endif
