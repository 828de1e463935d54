// The table of the instruction set whose file includes this.
#ifndef QUIRE_TABLE_H
#define QUIRE_TABLE_H

#include "activations.h"
#include "attention.h"
#include "linear.h"
#include "norms.h"
#include "row_kernels.h"
#include "rows.h"

/// An instruction set may have its own bf16 linear, and a quantized linear on f32 activations, on limbs, or on both.
#define QUIRE_TABLE(isa_value, bf16_linear, bf16_activation, ...)                                               \
    {                                                                                                           \
        .isa = isa_value, .linear_bf16_activation = bf16_activation, .linear_f32 = linear_f32,                  \
        .linear_f16 = linear_f16, .linear_bf16 = bf16_linear,                                                   \
        .linear_row_major = linear_row_major, __VA_ARGS__,                                                      \
        .embed_quantized = embed_quantized, .rms_norm = rms_norm, .layer_norm = layer_norm,                     \
        .activation = activate, .scale = scale, .clamped_swiglu = clamped_swiglu,                               \
        .linear_float8 = linear_float8, .weighted_sum = weighted_sum,                                           \
        .add_rms_norm = add_rms_norm, .rotary_embedding = rotary_embedding, .write_heads = write_heads,               \
        .paged_attention = paged_attention, .gated_activation = gated_activation, .add = add, .embed = embed,   \
        .embed_panels = embed_panels, .convert_from_f32 = convert_from_f32,                                     \
        .reorder_from_f32 = reorder_from_f32, .soft_cap = soft_cap,           \
    }

#endif
