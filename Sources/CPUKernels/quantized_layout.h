// Where the parts of a packed panel of quantized weights lie.
#ifndef QUIRE_QUANTIZED_LAYOUT_H
#define QUIRE_QUANTIZED_LAYOUT_H

#include "CPUKernels.h"

static inline size_t scale_size(const quire_quantized *q) { return q->scale_dtype == quire_dtype_f32 ? 4 : 2; }

static inline size_t group_count(const quire_quantized *q) { return (q->k + q->group_size - 1) / q->group_size; }

/// Inputs of a slice: six bits come in groups of sixteen.
static inline size_t slice_inputs(size_t bits) { return bits == 6 ? 16 : 32; }

static inline size_t slice_size(const quire_quantized *q) { return slice_inputs(q->bits); }

static inline size_t slice_bytes(const quire_quantized *q) { return slice_size(q) * q->bits * quire_panel_width / 8; }

/// Slices of group `group`; the last may be shorter.
static inline size_t group_slices(const quire_quantized *q, size_t group) {
    size_t left = q->k - group * q->group_size;
    size_t inputs = left < q->group_size ? left : q->group_size;
    return (inputs + slice_size(q) - 1) / slice_size(q);
}

/// Groups whose zeros share a word.
static inline size_t zeros_per_word(const quire_quantized *q) { return 32 / q->bits; }

static inline size_t zero_bytes(const quire_quantized *q) {
    size_t words = (group_count(q) + zeros_per_word(q) - 1) / zeros_per_word(q);
    return q->scaling == quire_scaling_zeros ? words * quire_panel_width * 4 : 0;
}

/// Groups under one outer scale; 0: there is none.
static inline size_t groups_per_block(const quire_quantized *q) {
    return q->scaling == quire_scaling_nested_minimum ? 8 : q->scaling == quire_scaling_nested_centred ? 16 : 0;
}

/// Bytes of the outer scales before a group; most groups have none.
static inline size_t outer_bytes(const quire_quantized *q, size_t group) {
    size_t per_block = groups_per_block(q);
    if (per_block == 0 || group % per_block != 0) {
        return 0;
    }
    return q->scaling == quire_scaling_nested_minimum ? 2 * quire_panel_width * 2 : quire_panel_width * 2;
}

/// Bytes of a group's own scales.
static inline size_t scale_bytes(const quire_quantized *q) {
    switch (q->scaling) {
        case quire_scaling_centred:
        case quire_scaling_zeros: return quire_panel_width * scale_size(q);
        case quire_scaling_minimum: return 2 * quire_panel_width * scale_size(q);
        case quire_scaling_nested_minimum: return 2 * quire_panel_width;
        case quire_scaling_nested_centred: return quire_panel_width;
    }
    return 0;
}

/// One group of a panel, found by walking through the groups before it.
typedef struct quantized_group {
    size_t index;
    /// The panel's zeros, the outer scales in force, the group's own, and its first slice.
    const char *zeros, *outer, *scales, *quanta;
    size_t slices;
} quantized_group;

/// Group `index`, whose record begins at `at`; `outer_before` are the outer scales of the group before it.
static inline quantized_group group_at(const quire_quantized *q, const char *panel, const char *at,
                                       const char *outer_before, size_t index) {
    size_t outer = outer_bytes(q, index);
    const char *scales = at + outer;
    return (quantized_group){
        .index = index,
        .zeros = panel,
        .outer = outer > 0 ? at : outer_before,
        .scales = scales,
        .quanta = scales + scale_bytes(q),
        .slices = group_slices(q, index),
    };
}

static inline quantized_group first_group(const quire_quantized *q, const char *panel) {
    return group_at(q, panel, panel + zero_bytes(q), panel, 0);
}

/// The group after `g`. Precondition: there is one.
static inline quantized_group next_group(const quire_quantized *q, quantized_group g) {
    return group_at(q, g.zeros, g.quanta + g.slices * slice_bytes(q), g.outer, g.index + 1);
}

#endif
