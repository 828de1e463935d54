// Offsets of the parts of a prepacked panel of quantized weights.
#ifndef QUIRE_QUANTIZED_LAYOUT_H
#define QUIRE_QUANTIZED_LAYOUT_H

#include "CPUKernels.h"

/// Inputs of a slice.
static inline size_t slice_inputs(const quire_quantized *q) { return q->group_size == 16 ? 16 : 32; }

/// The bit at which the field of input `i` of output `lane` begins in a plane of `width` bits of a slice.
static inline size_t field_at(size_t width, size_t inputs, size_t i, size_t lane) {
    // The plane of one bit of 16 inputs has half of a word for each output.
    size_t word_bits = inputs * width < 32 ? 16 : 32, per_word = word_bits / width, field = i % per_word;
    size_t word = i / per_word * quire_panel_width + lane;
    return word * word_bits + word_bits / 2 * (field % 2) + width * (field / 2);
}

/// Whether codes come from rows of a grid.
static inline int has_grid(quire_values values) {
    return values == quire_values_signed_grid || values == quire_values_shifted_grid
           || values == quire_values_ternary_grid;
}

/// Inputs that share an index of a grid.
static inline size_t grid_inputs(size_t bits) { return bits == 4 ? 4 : 8; }

/// Bytes of a slice.
static inline size_t slice_byte_count(size_t bits, size_t inputs, quire_values values) {
    size_t octets = inputs / 8, width = quire_panel_width;
    switch (values) {
        case quire_values_signed_grid:
            return bits == 4 ? (3 * octets + 1) * width : 2 * octets * width + (inputs == 16 ? width / 2 : 0);
        case quire_values_shifted_grid: return octets * width * 3 / 2;
        case quire_values_ternary_grid: return octets * width * 3 / 2 + width / 2;
        default: return inputs * bits * width / 8;
    }
}

// The nibble of output `lane`.
static inline size_t nibble_byte(size_t lane) { return lane % 32; }
static inline uint32_t nibble_shift(size_t lane) { return (uint32_t)(lane / 32 * 4); }

/// The inputs that share outer scales, where there are any.
enum { OUTER_INPUTS = 256 };

/// What all panels of a matrix have in common. Computed once a call, because a division for each group would cost
/// more than the group's products.
typedef struct panel_shape {
    const quire_quantized *matrix;
    size_t groups;
    /// Slices of a group, and of the last one.
    size_t slices, last_slices;
    size_t slice_bytes;
    /// Bytes of the zeros before the first group, and groups whose zeros share a word.
    size_t zero_bytes, zeros_per_word;
    /// Bytes of the outer scales; 0 if there are none. They come before each group whose index, masked, is zero.
    size_t outer_bytes, outer_mask;
    /// Bytes of a group's own scales.
    size_t scale_bytes;
    size_t panel_bytes;
} panel_shape;

static inline size_t scale_size(const quire_quantized *q) { return q->scale_dtype == quire_dtype_f32 ? 4 : 2; }

static inline panel_shape shape_of(const quire_quantized *q) {
    size_t inputs = slice_inputs(q), width = quire_panel_width;
    size_t groups = (q->k + q->group_size - 1) / q->group_size;
    panel_shape s = {
        .matrix = q,
        .groups = groups,
        .slices = q->group_size / inputs,
        .last_slices = (q->k - (groups - 1) * q->group_size + inputs - 1) / inputs,
        .slice_bytes = slice_byte_count(q->bits, inputs, q->values),
        .zeros_per_word = 32 / q->bits,
    };
    switch (q->scaling) {
        case quire_scaling_centred: s.scale_bytes = width * scale_size(q); break;
        case quire_scaling_zeros:
            s.scale_bytes = width * scale_size(q);
            s.zero_bytes = (groups + s.zeros_per_word - 1) / s.zeros_per_word * width * 4;
            break;
        case quire_scaling_minimum: s.scale_bytes = 2 * width * scale_size(q); break;
        case quire_scaling_nested_minimum:
            s.scale_bytes = 2 * width;
            s.outer_bytes = 2 * width * 2;
            break;
        case quire_scaling_nested_nibbles:
            s.scale_bytes = width;
            s.outer_bytes = 2 * width * 2;
            break;
        case quire_scaling_nested_centred:
            s.scale_bytes = width;
            s.outer_bytes = width * 2;
            break;
        case quire_scaling_nested_odd:
            s.scale_bytes = width / 2;
            s.outer_bytes = width * 2;
            break;
    }
    s.outer_mask = s.outer_bytes > 0 ? OUTER_INPUTS / q->group_size - 1 : 0;
    size_t outer_count = s.outer_bytes > 0 ? (groups + s.outer_mask) / (s.outer_mask + 1) : 0;
    s.panel_bytes = s.zero_bytes + outer_count * s.outer_bytes + groups * s.scale_bytes
                    + ((groups - 1) * s.slices + s.last_slices) * s.slice_bytes;
    return s;
}

/// One group of a panel. Groups are found by walking through those before them.
typedef struct quantized_group {
    size_t index, slices;
    /// The words that hold its zeros, the outer scales that apply to it, its own scales, and its first slice.
    const char *zeros, *outer, *scales, *codes;
    /// The bit of a word of zeros at which its own zero begins.
    uint32_t zero_shift;
} quantized_group;

/// Group `index`, whose record begins at `at`; `outer_before` are the outer scales of the group before it.
static inline quantized_group group_at(const panel_shape *s, const char *at, const char *outer_before, size_t index,
                                       const char *zeros, uint32_t zero_shift) {
    size_t outer = (index & s->outer_mask) == 0 ? s->outer_bytes : 0;
    const char *scales = at + outer;
    return (quantized_group){
        .index = index,
        .slices = index + 1 < s->groups ? s->slices : s->last_slices,
        .zeros = zeros,
        .outer = outer > 0 ? at : outer_before,
        .scales = scales,
        .codes = scales + s->scale_bytes,
        .zero_shift = zero_shift,
    };
}

static inline quantized_group first_group(const panel_shape *s, const char *panel) {
    return group_at(s, panel + s->zero_bytes, panel, 0, panel, 0);
}

/// The group after `g`. Precondition: there is one.
static inline quantized_group next_group(const panel_shape *s, quantized_group g) {
    uint32_t bits = (uint32_t)s->matrix->bits, shift = g.zero_shift + bits;
    // A word holds whole zeros only.
    int is_full = shift + bits > 32;
    return group_at(s, g.codes + g.slices * s->slice_bytes, g.outer, g.index + 1,
                    g.zeros + (is_full ? quire_panel_width * 4 : 0), is_full ? 0 : shift);
}

#endif
