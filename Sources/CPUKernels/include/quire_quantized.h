// Prepacked quantized weights. Included by CPUKernels.h, which states the promises.
//
// The layout is the same for every instruction set: panels of 64 outputs; in a panel the groups of inputs one after
// another, each with its scales and then its codes in slices of 32 inputs (of 16 where groups have 16).
//   panel:  zeros [ceil(groups / (32 / bits))][64] words, where there are any; then the groups
//   group:  scales (see quire_scaling), then ceil(size / 32) slices
//   slice:  one plane for each power of two in `bits`, the largest first; a plane of p bits is [inputs * p / 32][64]
//           words, and input i of a word has its p bits at 16 (i % 2) + p (i / 2): even inputs in the lower half, odd
//           ones in the upper half, so that a shift moves pairs of neighbours to the same bits of both halves. The
//           plane of one bit of 16 inputs is [64] words of 16 bits, with even inputs in the lower byte. Rows of a grid
//           have slices of their own, see `quire_values`
//   nibble [64]: that of output i is in byte i % 32, in its lower half where i < 32
// Outputs past n and inputs past k are zeros.
#ifndef QUIRE_QUANTIZED_H
#define QUIRE_QUANTIZED_H

#pragma clang assume_nonnull begin

/// What a code stands for, its value q.
typedef enum QUIRE_ENUM quire_values {
    /// The code itself.
    quire_values_integers QUIRE_CASE(integers) = 0,
    /// An entry of `book`; codes have three or four bits.
    quire_values_book QUIRE_CASE(book) = 1,
    /// The float E4M3 with these eight bits; only `linear_float8` and `embed_quantized` read them.
    quire_values_float8 QUIRE_CASE(float8) = 2,
    /// An entry of `book`. Eight inputs (of four bits: four) share an index of a row of `grid`, which has their codes
    /// without the highest bits; those are stored one by one. Slice of four bits: low bytes of indices [8][64],
    /// highest bits [4][64] (a byte for eight inputs, even ones in the lower half), ninth bits of indices [64] (a byte
    /// for eight indices). Of three bits: low bytes [inputs / 8][64], highest bits [inputs / 8][64]; in slices of 16
    /// inputs then nibbles [64]: two upper bits for each index.
    quire_values_signed_grid QUIRE_CASE(signedGrid) = 3,
    /// The same of three bits, where eight inputs share their highest bit. Slice: low bytes [inputs / 8][64]; then [64]
    /// fields of inputs / 2 bits with a nibble for each index: its three upper bits and the highest bit of the codes.
    quire_values_shifted_grid QUIRE_CASE(shiftedGrid) = 4,
    /// The code itself, 0, 1 or 2. Eight inputs share an index of a row of `grid`. Slice of 32 inputs: low bytes
    /// [4][64], four upper bits of each index [64] words of 16 bits, nibbles [64]: the thirteenth bits.
    quire_values_ternary_grid QUIRE_CASE(ternaryGrid) = 5,
} quire_values;

/// The number that a value q of a group stands for.
typedef enum QUIRE_ENUM quire_scaling {
    /// `scale (q - middle)`; group: scales [64] of `scale_dtype`.
    quire_scaling_centred QUIRE_CASE(centred) = 0,
    /// `scale (q - zero)`; group: scales [64] of `scale_dtype`; the zeros are at the panel's beginning.
    quire_scaling_zeros QUIRE_CASE(zeros) = 1,
    /// `scale q + minimum`; group: scales [64], minima [64], both of `scale_dtype`.
    quire_scaling_minimum QUIRE_CASE(minimum) = 2,
    /// `d s q - e m`; every 256 inputs begin with d [64], e [64] of f16; group: s [64], m [64] of one byte each.
    quire_scaling_nested_minimum QUIRE_CASE(nestedMinimum) = 3,
    /// `d s factor (q - middle)`; every 256 inputs begin with d [64] of f16; group: s [64] of one signed byte each.
    quire_scaling_nested_centred QUIRE_CASE(nestedCentred) = 4,
    /// `d s q - e m`; every 256 inputs begin with d [64], e [64] of f16; group: [64] bytes of s, lower half, and m.
    quire_scaling_nested_nibbles QUIRE_CASE(nestedNibbles) = 5,
    /// `d (2 s + 1) factor (q - middle)`; every 256 inputs begin with d [64] of f16; group: nibbles of s [64].
    quire_scaling_nested_odd QUIRE_CASE(nestedOdd) = 6,
} quire_scaling;

/// A quantized matrix `[n, k]`.
typedef struct quire_quantized {
    size_t n, k;
    /// Bits of a code: 2, 3, 4, 5, 6 or 8.
    size_t bits;
    /// Inputs of a group: 16, or a multiple of 32; the last group may have fewer.
    size_t group_size;
    quire_scaling scaling;
    quire_dtype scale_dtype;
    /// What is subtracted from values where the scaling is centred.
    float middle;
    /// A power of two.
    float factor;
    quire_values values;
    /// The values of codes; a book of eight entries has them twice.
    uint8_t book[16];
    /// The rows of a grid, one a word: the code of input i, or what a row has of it, at bit 16 (i % 2) + width
    /// (i / 2), where the width is 4 with codes of four bits, else 2. It must outlive the matrix.
    const uint32_t *_Nullable grid;
} quire_quantized;

/// How the rows to prepack are stored.
typedef enum QUIRE_ENUM quire_stored_rows {
    /// As `GroupFormat` of the module Tensors: codes, zeros and scales, each a run of whole 32-bit words; codes and
    /// zeros are streams of `bits` bits.
    quire_stored_groups QUIRE_CASE(groups) = 0,
    /// As `BlockFormat.unpack` of the module Tensors writes them, block after block: codes [k] of one byte each, the
    /// scales of groups, the outer scales.
    quire_stored_unpacked QUIRE_CASE(unpacked) = 1,
    /// Rows of a grid: indices of 16 bits, one for each eight or four inputs; for each eight inputs a byte of highest
    /// bits, the first input lowest (shifted grids: one bit for all eight; ternary ones: none); the scales of groups (s
    /// has one byte); the outer scales.
    quire_stored_grid QUIRE_CASE(grid) = 2,
} quire_stored_rows;

/// The most groups of a row.
enum { quire_max_group_count = 8192 };

/// Bytes of a prepacked panel.
size_t quire_quantized_panel_byte_count(const quire_quantized *matrix);

/// Prepacks panel `panel`. `panels` is the start of the whole prepacked matrix. `rows`: the panel's rows, at most 64,
/// stored as `stored` says, `row_byte_count` bytes each. Threads may prepack different panels.
void quire_prepack_quantized(const quire_quantized *matrix, quire_stored_rows stored, const void *rows,
                          size_t row_byte_count, void *panels, size_t panel);

/// `y[m, n] = x[m, k] · weightsᵀ + bias` for the outputs of panels `panel_begin ..< panel_end` only.
///
/// `x`: f32 rows, stride `x_stride >= k`; for the kernels of limbs, rows of records, stride in records. The sum of a
/// group is `scale · (sum of q x) + offset · (sum of x)`: codes are multiplied as integers, and the sum is scaled
/// once. `y`: f32 rows, stride `y_stride >= n`. `bias`: f32 [n] or NULL.
typedef void (*quire_quantized_linear_fn)(const quire_quantized *matrix, const void *panels, const void *x,
                                          size_t x_stride, float *y, size_t y_stride, size_t m,
                                          const float *_Nullable bias, size_t panel_begin, size_t panel_end);

/// Quantizes `x[r, order[i]]`, or `x[r, i]` if `order` is NULL. A row of `y` is ceil(width / 32) records of 32
/// integers with one scale. The error is at most half of the scale, and the largest integer is 127 with one limb, 127
/// · 2^7 with two and 127 · 2^14 with three. A record with an input that is not finite makes outputs NaN. `x`: [rows,
/// width] with its stride; `order`: [width], in range; `y_stride` in records.
typedef void (*quire_quantize_fn)(const float *x, size_t x_stride, const int32_t *_Nullable order, void *y,
                                size_t y_stride, size_t rows, size_t width);

/// The kernels for activations of one number of limbs.
typedef struct quire_limb_kernels {
    /// Bytes of a record.
    size_t record_byte_count;
    quire_quantize_fn _Nonnull quantize;
    /// As `linear_quantized`, from rows of records.
    quire_quantized_linear_fn _Nonnull linear;
} quire_limb_kernels;

/// `y[i] = row ids[i] of the weights * scale`, each number exactly as its format defines it. `y`: [count, k] f32.
typedef void (*quire_quantized_embed_fn)(const quire_quantized *matrix, const void *panels, const int32_t *ids,
                                         size_t count, float scale, float *y, size_t y_stride);

#pragma clang assume_nonnull end

#endif
