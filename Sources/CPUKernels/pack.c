// Weights from row-major matrices to panels of 64 outputs.
#include "CPUKernels.h"

#include <string.h>

static size_t element_size(quire_dtype dtype) { return dtype == quire_dtype_f32 ? 4 : 2; }

static size_t packed_depth(quire_dtype dtype, size_t k) { return dtype == quire_dtype_bf16 ? (k + 1) / 2 * 2 : k; }

size_t quire_panel_count(size_t n) { return (n + quire_panel_width - 1) / quire_panel_width; }

size_t quire_packed_byte_count(quire_dtype dtype, size_t n, size_t k) {
    return quire_panel_count(n) * packed_depth(dtype, k) * quire_panel_width * element_size(dtype);
}

/// Where number (`lane`, `i`) of a panel stands.
static size_t place(quire_dtype dtype, size_t lane, size_t i) {
    return dtype == quire_dtype_bf16 ? (i / 2 * quire_panel_width + lane) * 2 + i % 2 : i * quire_panel_width + lane;
}

void quire_pack(quire_dtype dtype, const void *source, size_t source_stride, size_t n, size_t k, void *packed,
                size_t panel_begin, size_t panel_end) {
    size_t size = element_size(dtype), depth = packed_depth(dtype, k);
    // A run of columns at a time, so that the panel's lines are still in the cache when the next row comes.
    enum { RUN = 32 };
    for (size_t p = panel_begin; p < panel_end; p++) {
        char *panel = (char *)packed + p * depth * quire_panel_width * size;
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
                    for (size_t i = start; i < end; i++) { to[place(dtype, lane, i)] = from[i]; }
                }
            }
        }
    }
}
