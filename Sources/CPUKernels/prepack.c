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

// Reading stored rows: the codes of inputs, and the scales of their groups.

/// Field `index` of a stream of `bits`-bit fields in little-endian words.
static inline uint32_t stream_field(const uint8_t *words, size_t bits, size_t index) {
    size_t bit = index * bits;
    // A field of up to eight bits spans at most two bytes.
    uint32_t low = words[bit / 8], high = bit % 8 + bits > 8 ? words[bit / 8 + 1] : 0;
    return (low | high << 8) >> bit % 8 & ((1u << bits) - 1);
}

/// Where the parts of a stored row begin, in bytes.
typedef struct stored_row {
    quire_stored_rows stored;
    /// Of the zeros or the outer scales.
    size_t others;
    size_t scales;
} stored_row;

static stored_row stored_row_of(const panel_shape *s, quire_stored_rows stored) {
    const quire_quantized *q = s->matrix;
    if (stored == quire_stored_grid) {
        size_t scales = q->k / grid_inputs(q->bits) * 2 + q->k / 8;
        return (stored_row){stored, scales + s->groups, scales};
    }
    if (stored == quire_stored_unpacked) {
        size_t own = s->scale_bytes / quire_panel_width;
        return (stored_row){stored, q->k + s->groups * own, q->k};
    }
    size_t zeros = (q->k * q->bits + 31) / 32 * 4;
    size_t zero_bytes = q->scaling == quire_scaling_zeros ? (s->groups * q->bits + 31) / 32 * 4 : 0;
    return (stored_row){stored, zeros, zeros + zero_bytes};
}

size_t quire_quantized_panel_byte_count(const quire_quantized *q) { return shape_of(q).panel_bytes; }

/// Writes the plane of `width` bits from bit `done` on of `inputs` codes of one output: word after word, as `field_at`
/// says. Inlined, so that sizes are constants.
static inline __attribute__((always_inline)) void write_plane(size_t width, size_t inputs, const uint8_t *codes,
                                                              size_t done, char *plane, size_t lane) {
    size_t word_bits = inputs * width < 32 ? 16 : 32, per_word = word_bits / width;
    uint32_t mask = (1u << width) - 1;
    for (size_t word = 0; word < inputs / per_word; word++) {
        uint32_t bits = 0;
        for (size_t field = 0; field < per_word; field++) {
            uint32_t code = (uint32_t)codes[word * per_word + field] >> done & mask;
            bits |= code << (word_bits / 2 * (field % 2) + width * (field / 2));
        }
        memcpy(plane + (word * quire_panel_width + lane) * word_bits / 8, &bits, word_bits / 8);
    }
}

/// Writes the codes of a slice, all of one output, into the planes at `slice`. The largest plane has the lowest bits.
static void write_codes(const quire_quantized *q, const uint8_t *codes, char *slice, size_t lane) {
    size_t inputs = slice_inputs(q), done = 0;
#define PLANE(width)                                                                                            \
    if (q->bits & width) {                                                                                      \
        if (inputs == 16) {                                                                                     \
            write_plane(width, 16, codes, done, slice, lane);                                                   \
        } else {                                                                                                \
            write_plane(width, 32, codes, done, slice, lane);                                                   \
        }                                                                                                       \
        slice += inputs * width / 8 * quire_panel_width;                                                        \
        done += width;                                                                                          \
    }
    PLANE(8)
    PLANE(4)
    PLANE(2)
    PLANE(1)
#undef PLANE
}

/// Writes the rows of a grid that a slice has, of one output, to `slice`, which must be zero. `input`: the slice's
/// first one; `row`: a stored row of the matrix.
static void write_grid_rows(const quire_quantized *q, const uint8_t *row, size_t input, char *slice, size_t lane) {
    size_t width = quire_panel_width, inputs = slice_inputs(q), octets = inputs / 8;
    size_t row_inputs = grid_inputs(q->bits);
    const uint8_t *indices = row + input / row_inputs * 2;
    const uint8_t *highest = row + q->k / row_inputs * 2 + input / 8;
    uint8_t *bytes = (uint8_t *)slice, *after = bytes + inputs / row_inputs * width, *upper = after + octets * width;
    for (size_t i = 0; i < inputs / row_inputs; i++) {
        uint32_t index = indices[2 * i] | (uint32_t)indices[2 * i + 1] << 8, above = index >> 8;
        bytes[i * width + lane] = (uint8_t)index;
        if (q->values != quire_values_signed_grid) {
            // Upper bits of the index, and either the highest bit of the codes or one more of the index.
            size_t nibble = lane * octets + i;
            uint32_t field = q->values == quire_values_shifted_grid ? above | (highest[i] & 1u) << 3 : above & 15;
            after[nibble / 2] |= (uint8_t)(field << nibble % 2 * 4);
            if (q->values == quire_values_ternary_grid) {
                after[octets * width / 2 + nibble_byte(lane)] |= (uint8_t)(above >> 4 << i << nibble_shift(lane));
            }
        } else if (q->bits == 4) {
            upper[lane] |= (uint8_t)(above << i);
        } else if (octets == 2) {
            upper[nibble_byte(lane)] |= (uint8_t)(above << 2 * i << nibble_shift(lane));
        }
    }
    if (q->values != quire_values_signed_grid) {
        return;
    }
    for (size_t i = 0; i < inputs; i++) {
        after[i / 8 * width + lane] |= (uint8_t)((highest[i / 8] >> i % 8 & 1u) << (i % 2 * 4 + i % 8 / 2));
    }
}

/// Writes the fields of scales of output `lane`, `count` of `size` bytes each, 64 outputs apart.
static void write_fields(char *fields, size_t lane, const uint8_t *from, size_t size, size_t count) {
    for (size_t i = 0; i < count; i++) {
        memcpy(fields + (i * quire_panel_width + lane) * size, from + i * size, size);
    }
}

/// Writes the scales of group `g` of one stored row.
static void write_scales(const panel_shape *s, const stored_row *layout, const uint8_t *row, const quantized_group *g,
                         size_t lane) {
    const quire_quantized *q = s->matrix;
    char *scales = (char *)(uintptr_t)g->scales, *outer = (char *)(uintptr_t)g->outer;
    size_t own = s->scale_bytes / quire_panel_width, outer_own = s->outer_bytes / quire_panel_width;
    // Nested scales have bytes, others have numbers of 16 or 32 bits.
    size_t size = s->outer_bytes > 0 ? 1 : scale_size(q);
    if (q->scaling == quire_scaling_nested_odd) {
        scales[nibble_byte(lane)] |= (char)(row[layout->scales + g->index] << nibble_shift(lane));
    } else {
        write_fields(scales, lane, row + layout->scales + g->index * own, size, own / size);
    }
    if (q->scaling == quire_scaling_zeros) {
        uint32_t *words = (uint32_t *)(uintptr_t)g->zeros;
        words[lane] |= stream_field(row + layout->others, q->bits, g->index) << g->zero_shift;
    }
    if (s->outer_bytes > 0 && (g->index & s->outer_mask) == 0) {
        size_t block = g->index / (s->outer_mask + 1);
        write_fields(outer, lane, row + layout->others + block * outer_own, 2, outer_own / 2);
    }
}

void quire_prepack_quantized(const quire_quantized *q, quire_stored_rows stored, const void *rows,
                             size_t row_byte_count, void *panels, size_t panel) {
    panel_shape shape = shape_of(q);
    stored_row layout = stored_row_of(&shape, stored);
    char *start = (char *)panels + panel * shape.panel_bytes;
    memset(start, 0, shape.panel_bytes);
    size_t first = panel * quire_panel_width, inputs = slice_inputs(q);
    size_t lanes = q->n - first < quire_panel_width ? q->n - first : quire_panel_width;
    quantized_group g = first_group(&shape, start);
    for (size_t index = 0; index < shape.groups; index++) {
        for (size_t lane = 0; lane < lanes; lane++) {
            const uint8_t *row = (const uint8_t *)rows + lane * row_byte_count;
            write_scales(&shape, &layout, row, &g, lane);
            for (size_t slice = 0; slice < g.slices; slice++) {
                size_t input = index * q->group_size + slice * inputs;
                char *to = (char *)(uintptr_t)(g.codes + slice * shape.slice_bytes);
                if (stored == quire_stored_grid) {
                    write_grid_rows(q, row, input, to, lane);
                    continue;
                }
                size_t count = q->k - input < inputs ? q->k - input : inputs;
                const uint8_t *codes = row + input;
                uint8_t fields[32] = {0};
                if (stored == quire_stored_groups) {
                    for (size_t i = 0; i < count; i++) { fields[i] = (uint8_t)stream_field(row, q->bits, input + i); }
                    codes = fields;
                } else if (count < inputs) {
                    memcpy(fields, codes, count);
                    codes = fields;
                }
                write_codes(q, codes, to, lane);
            }
        }
        if (index + 1 < shape.groups) {
            g = next_group(&shape, g);
        }
    }
}
