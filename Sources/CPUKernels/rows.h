// Rows that change their type or their place: conversions, the cache, the embedding table.
#ifndef QUIRE_ROWS_H
#define QUIRE_ROWS_H

#include "numbers.h"
#include "scaled_heads.h"

INLINE void narrow_row(quire_dtype dtype, const float *x, void *y, size_t index, size_t width) {
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
        narrow_row(dtype, x + r * x_stride, y, r * y_stride, width);
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

static void convert_to_f32(quire_dtype dtype, const void *x, size_t x_stride, float *y, size_t y_stride, size_t rows,
                           size_t width) {
    for (size_t r = 0; r < rows; r++) { widen_row(dtype, x, r * x_stride, y + r * y_stride, width, 1); }
}

static void write_kv(quire_dtype dtype, const float *keys, size_t key_stride, const float *values,
                     size_t value_stride, const int32_t *slots, size_t tokens, size_t width, size_t head_size,
                     void *key_cache, void *value_cache) {
    for (size_t t = 0; t < tokens; t++) {
        if (dtype == quire_dtype_int8) {
            size_t heads = width / head_size, at = (size_t)slots[t] * heads * scaled_head_size(head_size);
            write_scaled_heads(keys + t * key_stride, heads, head_size, (char *)key_cache + at);
            write_scaled_heads(values + t * value_stride, heads, head_size, (char *)value_cache + at);
            continue;
        }
        size_t index = (size_t)slots[t] * width;
        narrow_row(dtype, keys + t * key_stride, key_cache, index, width);
        narrow_row(dtype, values + t * value_stride, value_cache, index, width);
    }
}

static void embed(quire_dtype dtype, const void *table, size_t table_stride, const int32_t *ids, size_t count,
                  size_t width, float scale, float *y, size_t y_stride) {
    for (size_t t = 0; t < count; t++) {
        widen_row(dtype, table, (size_t)ids[t] * table_stride, y + t * y_stride, width, scale);
    }
}

static void embed_packed(quire_dtype dtype, const void *packed, const int32_t *ids, size_t count, size_t width,
                         float scale, float *y, size_t y_stride) {
    int paired = dtype == quire_dtype_bf16;
    size_t depth = paired ? (width + 1) / 2 * 2 : width;
    size_t size = byte_size(dtype);
    for (size_t t = 0; t < count; t++) {
        size_t id = (size_t)ids[t], lane = id % quire_panel_width;
        const char *panel = (const char *)packed + id / quire_panel_width * depth * quire_panel_width * size;
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

#endif
