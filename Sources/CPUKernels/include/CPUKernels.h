// The C kernels of the `cpu` backend: one table of functions per instruction set, chosen at run time.
//
// Promises that hold for every function here:
// - A call allocates nothing and keeps no state. It touches only its arguments, so threads may call with disjoint
//   outputs at the same time.
// - No alignment is required beyond that of the element type (64 bytes is fastest).
// - Sizes, strides and counts are in elements unless the name says bytes. A stride is the distance between two
//   rows. Counts may be zero, and then pointers may dangle.
// - Outputs must not overlap inputs unless the function says so.
// - **One accumulation order.** A row of an output depends, bit for bit, only on that row's own inputs and on the
//   table in use: never on the other rows of a call, on their number, on how panels or rows are split between calls and
//   threads, on block_size, or on how a prompt is cut into calls. Results of different tables differ by rounding.
#ifndef QUIRE_CPU_KERNELS_H
#define QUIRE_CPU_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#define QUIRE_ENUM __attribute__((enum_extensibility(closed)))
#define QUIRE_CASE(name) __attribute__((swift_name(#name)))

#pragma clang assume_nonnull begin

/// Instruction sets that there are tables for, slowest first.
typedef enum QUIRE_ENUM quire_isa {
    /// Plain C; on ARM this is NEON, on x86-64 SSE2.
    quire_isa_portable QUIRE_CASE(portable) = 0,
    /// AVX2, FMA and F16C.
    quire_isa_avx2 QUIRE_CASE(avx2) = 1,
    /// AVX-512 F, BW, DQ and VL.
    quire_isa_avx512 QUIRE_CASE(avx512) = 2,
    /// The same and AVX512_VNNI (dot products of four bytes).
    quire_isa_avx512vnni QUIRE_CASE(avx512vnni) = 3,
    /// The same and AVX512_BF16 (dot products of bf16 pairs).
    quire_isa_avx512bf16 QUIRE_CASE(avx512bf16) = 4,
} quire_isa;

/// How one number is stored. f16 and bf16 are handed over as `uint16_t` bit patterns.
typedef enum QUIRE_ENUM quire_dtype {
    quire_dtype_f32 QUIRE_CASE(f32) = 0,
    quire_dtype_f16 QUIRE_CASE(f16) = 1,
    quire_dtype_bf16 QUIRE_CASE(bf16) = 2,
    /// Of caches only: each head of a token is its scale, an f32, then its numbers over that scale, rounded to eight
    /// bits, up to the next multiple of four bytes.
    quire_dtype_int8 QUIRE_CASE(int8) = 3,
} quire_dtype;

/// The function of an activation.
typedef enum QUIRE_ENUM quire_activation {
    /// x / (1 + exp(-x))
    quire_activation_silu QUIRE_CASE(silu) = 0,
    /// 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
    quire_activation_gelu_tanh QUIRE_CASE(geluTanh) = 1,
    /// 0.5 x (1 + erf(x / sqrt(2)))
    quire_activation_gelu QUIRE_CASE(gelu) = 2,
    /// max(x, 0)
    quire_activation_relu QUIRE_CASE(relu) = 3,
    /// 1 / (1 + exp(-x))
    quire_activation_sigmoid QUIRE_CASE(sigmoid) = 4,
    /// max(x, 0)^2
    quire_activation_relu_squared QUIRE_CASE(reluSquared) = 5,
    /// alpha_positive x^2 + beta x where x > 0, else (expm1(min(x, epsilon)) - x) alpha_negative + beta x
    quire_activation_xielu QUIRE_CASE(xielu) = 6,
} quire_activation;

/// The numbers of xielu; `epsilon` is negative.
typedef struct quire_xielu {
    float alpha_positive, alpha_negative, beta, epsilon;
} quire_xielu;

/// Which two numbers of a head make a rotary pair.
typedef enum QUIRE_ENUM quire_pairing {
    /// (i, i + rotary_size / 2)
    quire_pairing_halves QUIRE_CASE(halves) = 0,
    /// (2i, 2i + 1)
    quire_pairing_interleaved QUIRE_CASE(interleaved) = 1,
} quire_pairing;

// ---------------------------------------------------------------------------------------------------------------
// Prepacked dense weights. The layout is the same for every instruction set:
//   f32, f16: [ceil(n / 64)][k][64]
//   bf16:     [ceil(n / 64)][ceil(k / 2)][64][2]   (two neighbouring k of one output are adjacent)
// Outputs past n and the odd k at the end are zeros.

/// Outputs in a panel of prepacked weights.
enum { quire_panel_width = 64 };

/// How many panels `n` outputs take: ceil(n / 64).
size_t quire_panel_count(size_t n);

/// Bytes of a prepacked `[n, k]` matrix.
size_t quire_prepacked_byte_count(quire_dtype dtype, size_t n, size_t k);

/// Prepacks panels `panel_begin ..< panel_end` of the row-major `[n, k]` matrix `source` (row stride `source_stride`).
/// `panels` is the start of the whole prepacked matrix. The type stays the same. Threads may prepack disjoint ranges.
void quire_prepack(quire_dtype dtype, const void *source, size_t source_stride, size_t n, size_t k,
                void *panels, size_t panel_begin, size_t panel_end);

#pragma clang assume_nonnull end
#include "quire_quantized.h"
#pragma clang assume_nonnull begin

// ---------------------------------------------------------------------------------------------------------------
// The kernels' types.

/// `y[m, n] = x[m, k] · weightsᵀ + bias` for the outputs of panels `panel_begin ..< panel_end` only; the other
/// columns of `y` are untouched, so threads split the panels.
///
/// `x`: f32 rows, stride `x_stride >= k`. With `linear_bf16_activation` bf16, bf16 rows whose stride is at least k
/// rounded up to even, with a zero after an odd last element (`convert_from_f32` writes such rows). `y`: f32 rows,
/// stride `y_stride >= n`. `bias`: f32 [n] or NULL.
typedef void (*quire_linear_fn)(const void *panels, const void *x, size_t x_stride, float *y, size_t y_stride,
                                size_t m, size_t k, size_t n, const float *_Nullable bias,
                                size_t panel_begin, size_t panel_end);

/// `y[m, n] = x[m, k] · weightsᵀ` for outputs `begin ..< end` only, with row-major weights [n, k] of type `dtype`. For
/// few outputs, of which panels would be empty for the most part. `x`, `y`: f32 rows with their strides.
typedef void (*quire_row_major_fn)(quire_dtype dtype, const void *weights, const float *x, size_t x_stride, float *y,
                                   size_t y_stride, size_t m, size_t k, size_t begin, size_t end);

/// `y = x / sqrt(mean(x²) + epsilon) * weight` for each contiguous group of `group_size` numbers of each row.
/// `x`, `y`: [rows, groups * group_size] with their strides; `weight`: [group_size]. `y` may be `x` (same stride).
typedef void (*quire_rms_norm_fn)(const float *x, size_t x_stride, float *y, size_t y_stride, size_t rows,
                                  size_t groups, size_t group_size, const float *weight, float epsilon);

/// `y = (x - mean) / sqrt(variance + epsilon) * weight + bias` for each contiguous group of `group_size` numbers of
/// each row. `x`, `y`: [rows, groups * group_size] with their strides; `y` may be `x` (same stride).
/// `weight`, `bias`: [group_size] of the first group, or NULL for 1 and 0; those of the next group begin
/// `weight_stride` and `bias_stride` numbers on: 0 where all groups share them.
typedef void (*quire_layer_norm_fn)(const float *x, size_t x_stride, float *y, size_t y_stride, size_t rows,
                                    size_t groups, size_t group_size, const float *_Nullable weight,
                                    size_t weight_stride, const float *_Nullable bias, size_t bias_stride,
                                    float epsilon);

/// `sum = x + residual`, then `y = rms_norm(sum)` over whole rows: bit for bit what `add` and `rms_norm` give.
/// All are [rows, width] with their strides. `sum` may be `x` or `residual`; `y` may be any of the inputs, not `sum`.
typedef void (*quire_add_rms_norm_fn)(const float *x, size_t x_stride, const float *residual, size_t residual_stride,
                                      float *sum, size_t sum_stride, float *y, size_t y_stride, size_t rows,
                                      size_t width, const float *weight, float epsilon);

/// Rotates the first `rotary_size` numbers of each head and copies the rest.
/// `x`, `y`: [tokens, heads * head_size] with their strides; `y` may be `x` (same stride).
/// `cosines`, `sines`: [tokens, rotary_size / 2], contiguous, any magnitude factor already in them.
/// `rotary_size` is even and at most `head_size`.
typedef void (*quire_rotary_fn)(const float *x, size_t x_stride, float *y, size_t y_stride, size_t tokens,
                                size_t heads, size_t head_size, size_t rotary_size, quire_pairing pairing,
                                const float *cosines, const float *sines);

/// Writes row t of `x`, keys or values ([tokens, width] f32, stride `x_stride`), to slot `slots[t]` of a layer's
/// `cache` (blocks of [block_size, width], type `dtype`), rounding to nearest, ties to even. `width` is kv_head_count *
/// head_size; only int8 looks at `head_size`, as each of its heads has a scale. A slot is block * block_size + offset,
/// and a block begins `block_stride` numbers (bytes of int8) after the one before it.
typedef void (*quire_write_heads_fn)(quire_dtype dtype, const float *x, size_t x_stride, const int32_t *slots,
                                     size_t tokens, size_t width, size_t head_size, size_t block_size,
                                     size_t block_stride, void *cache);

/// One sequence's view of one layer's cache, and how to attend to it.
typedef struct quire_attention {
    /// Blocks of [block_size, kv_head_count, head_size] of type `cache_dtype`.
    const void *keys;
    /// The same shape.
    const void *values;
    quire_dtype cache_dtype;
    /// Tokens in a block, any number from 1.
    size_t block_size;
    /// Numbers (bytes of int8) from the beginning of a block to that of the next.
    size_t block_stride;
    size_t kv_head_count;
    /// Numbers in a head, any number from 1; fastest where a multiple of 16.
    size_t head_size;
    /// Query heads per key/value head, from 1.
    size_t group;
    /// The sequence's block ids; those before the first visible position are not read.
    const int32_t *block_table;
    /// Factor on the scores.
    float scale;
    /// `score = cap * tanh(score / cap)` before the softmax; 0: none.
    float soft_cap;
    /// A query at position p sees positions `p - sliding_window + 1 ... p`; 0: all from 0 to p.
    size_t sliding_window;
    /// A score for each query head, [kv_head_count * group], that takes part in the softmax's maximum and denominator
    /// and has no value; neither scaled nor capped. NULL: none.
    const float *_Nullable sinks;
} quire_attention;

/// Attention of `query_count` consecutive query tokens, the first at position `first_position`, to key/value head
/// `kv_head`, for the `group` query heads that read it. The cache must hold all positions up to the last query's.
/// Queries of one call share the reads of keys and values; the result of each is that of a call of its own.
///
/// `query`: f32, token t's `group` heads of `head_size` numbers begin at `query + t * query_stride`; they are adjacent.
/// `output`: f32, likewise with `output_stride`. For a whole row `[tokens, query_heads * head_size]` hand in
/// `row + kv_head * group * head_size` and the row's stride.
/// `scratch`: `quire_attention_scratch_count` floats, any contents, one per thread.
typedef void (*quire_paged_attention_fn)(const quire_attention *attention, size_t kv_head, const float *query,
                                         size_t query_stride, size_t query_count, size_t first_position,
                                         float *output, size_t output_stride, float *scratch);

/// Floats of scratch that a call of `paged_attention` with `query_count` queries needs; does not grow with the context.
size_t quire_attention_scratch_count(size_t query_count, size_t group, size_t head_size);

/// `y = activation(gate) * up`, for any activation but xielu. All [rows, width] with their strides; `gate` and `up` may
/// be columns of one fused matrix; `y` may be `gate` or `up` (same stride).
typedef void (*quire_gated_activation_fn)(quire_activation activation, const float *gate, size_t gate_stride,
                                          const float *up, size_t up_stride, float *y, size_t y_stride,
                                          size_t rows, size_t width);

/// `y = g / (1 + exp(-alpha g)) * (u + 1)`, where `g` is `gate`, at most `limit`, and `u` is `up`, from `-limit` to `limit`.
/// Shapes as those of `quire_gated_activation_fn`.
typedef void (*quire_clamped_swiglu_fn)(const float *gate, size_t gate_stride, const float *up, size_t up_stride,
                                        float *y, size_t y_stride, size_t rows, size_t width, float alpha,
                                        float limit);

/// `y = activation(x)`, [count]; `y` may be `x`. Only xielu reads `xielu`; it may be NULL for the others.
typedef void (*quire_activation_fn)(quire_activation activation, const quire_xielu *_Nullable xielu, const float *x,
                                    float *y, size_t count);

/// `y = x * factor`, [count]; `y` may be `x`.
typedef void (*quire_scale_fn)(const float *x, float *y, size_t count, float factor);

/// `y = Σ weight * x` over the choices of a route, the first one first: [rows, width]. `x` is [rows, choices, width], and a
/// route is the numbers of `choices` matrices, then their weights.
typedef void (*quire_weighted_sum_fn)(const float *routes, size_t choices, const float *x, float *y, size_t rows,
                                      size_t width);

/// `y = left + right`, [rows, width] with their strides; `y` may be either (same stride).
typedef void (*quire_add_fn)(const float *left, size_t left_stride, const float *right, size_t right_stride,
                             float *y, size_t y_stride, size_t rows, size_t width);

/// `y[i] = table[ids[i]] * scale` from the row-major `table` [rows, width] (stride `table_stride`) of type `dtype`.
/// `y`: [count, width] f32. Ids must be in range.
typedef void (*quire_embed_fn)(quire_dtype dtype, const void *table, size_t table_stride, const int32_t *ids,
                               size_t count, size_t width, float scale, float *y, size_t y_stride);

/// The same from prepacked weights [n, width], so that tied embeddings need no second copy; slower per row.
typedef void (*quire_embed_panels_fn)(quire_dtype dtype, const void *panels, const int32_t *ids, size_t count,
                                      size_t width, float scale, float *y, size_t y_stride);

/// f32 rows to rows of `dtype`, nearest, ties to even; NaN stays NaN. [rows, width] with their strides.
/// If `pad_to_even` is not 0 and width is odd, a zero is written after each row (`y_stride` must leave room).
typedef void (*quire_from_f32_fn)(quire_dtype dtype, const float *x, size_t x_stride, void *y, size_t y_stride,
                                  size_t rows, size_t width, int pad_to_even);

/// `y[r, i] = x[r, order[i]]`, rounded to `dtype` as above. [rows, width] with their strides; `order`: [width], in
/// range.
typedef void (*quire_reorder_fn)(quire_dtype dtype, const float *x, size_t x_stride, const int32_t *order, void *y,
                                 size_t y_stride, size_t rows, size_t width);

/// `y = cap * tanh(x / cap)`, [count]; `cap` > 0; `y` may be `x`.
typedef void (*quire_soft_cap_fn)(const float *x, float *y, size_t count, float cap);

/// The kernels of one instruction set.
typedef struct quire_kernels {
    quire_isa isa;
    /// Type of `x` that `linear_bf16` of this table reads: bf16 for avx512bf16, else f32.
    quire_dtype linear_bf16_activation;
    /// Weights f32, activations f32.
    quire_linear_fn _Nonnull linear_f32;
    /// Weights f16, activations f32.
    quire_linear_fn _Nonnull linear_f16;
    /// Weights bf16, activations `linear_bf16_activation`.
    quire_linear_fn _Nonnull linear_bf16;
    /// Row-major weights of any dense type, activations f32.
    quire_row_major_fn _Nonnull linear_row_major;
    /// Quantized weights, f32 activations; NULL where products of three limbs are faster.
    quire_quantized_linear_fn _Nullable linear_quantized;
    /// Quantized weights whose values are E4M3 floats, f32 activations.
    quire_quantized_linear_fn _Nonnull linear_float8;
    /// Quantized weights, activations of one, two and three limbs; NULL where the instruction set has no integer
    /// products. Three limbs are as exact as f32, two are more exact than bf16.
    const quire_limb_kernels *_Nullable linear_int8, *_Nullable linear_int16, *_Nullable linear_int24;
    quire_quantized_embed_fn _Nonnull embed_quantized;
    quire_rms_norm_fn _Nonnull rms_norm;
    quire_add_rms_norm_fn _Nonnull add_rms_norm;
    quire_layer_norm_fn _Nonnull layer_norm;
    quire_rotary_fn _Nonnull rotary_embedding;
    quire_write_heads_fn _Nonnull write_heads;
    quire_paged_attention_fn _Nonnull paged_attention;
    quire_gated_activation_fn _Nonnull gated_activation;
    quire_clamped_swiglu_fn _Nonnull clamped_swiglu;
    quire_activation_fn _Nonnull activation;
    quire_scale_fn _Nonnull scale;
    quire_weighted_sum_fn _Nonnull weighted_sum;
    quire_add_fn _Nonnull add;
    quire_embed_fn _Nonnull embed;
    quire_embed_panels_fn _Nonnull embed_panels;
    quire_from_f32_fn _Nonnull convert_from_f32;
    quire_reorder_fn _Nonnull reorder_from_f32;
    quire_soft_cap_fn _Nonnull soft_cap;
} quire_kernels;

/// The table of `isa`, or NULL if this CPU (or this build's architecture) lacks it. `quire_isa_portable` never is NULL.
const quire_kernels *_Nullable quire_kernels_for(quire_isa isa);

/// The fastest instruction set that this CPU has.
quire_isa quire_best_isa(void);

/// "portable", "avx2", "avx512", "avx512vnni" or "avx512bf16".
const char *quire_isa_name(quire_isa isa);

#pragma clang assume_nonnull end

#endif
