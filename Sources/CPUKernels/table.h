// The table of the instruction set whose file includes this.
#ifndef QUIRE_TABLE_H
#define QUIRE_TABLE_H

#include "activation.h"
#include "attention.h"
#include "embed_quantized.h"
#include "linear.h"
#include "norm.h"
#include "reduction.h"
#include "rotary.h"
#include "rows.h"

/// What an instruction set may have of its own are the bf16 linear and the quantized one, or products of bytes instead.
#define QUIRE_TABLE(isa_value, bf16_linear, bf16_activation, ...)                                               \
    {                                                                                                           \
        .isa = isa_value, .linear_bf16_activation = bf16_activation, .linear_f32 = linear_f32,                  \
        .linear_f16 = linear_f16, .linear_bf16 = bf16_linear, __VA_ARGS__,                                      \
        .embed_quantized = embed_quantized, .rms_norm = rms_norm,                                               \
        .add_rms_norm = add_rms_norm, .rotary_embedding = rotary_embedding, .write_kv = write_kv,               \
        .paged_attention = paged_attention, .gated_activation = gated_activation, .add = add, .embed = embed,   \
        .embed_packed = embed_packed, .convert_from_f32 = convert_from_f32,                                     \
        .reorder_from_f32 = reorder_from_f32, .convert_to_f32 = convert_to_f32, .soft_cap = soft_cap,           \
        .argmax = argmax, .log_sum_exp = log_sum_exp,                                                           \
    }

#endif
