// Quantized activations: 32 inputs of a row as integers with one scale, in one record.
//
// An integer has LIMBS limbs of seven bits (the including file defines LIMBS, from 1 to 3), stored as signed bytes. A
// limb is worth 128 of the next. Before it includes this file, an instruction set defines PARTS, the numbers in which
// an integer is multiplied; WORD_INPUTS, the inputs that share a word; and `write_part`.
//
// All sums of products of a slice are exact integers, so kernels may add them in any order: the chain gets the same
// number.
#ifndef QUIRE_LIMBS_H
#define QUIRE_LIMBS_H

#include "quantized_codes.h"
#include "tile.h"

enum { LIMB_BITS = 7, LARGEST_INTEGER = 127 << (LIMB_BITS * (LIMBS - 1)) };

/// 32 inputs of a row.
typedef struct limb_record {
    float scale;
    /// Sums of the quantized inputs: of each half, and of all.
    float half_sums[2], sum;
    /// The parts of the integers, the most significant first, in words of WORD_INPUTS inputs.
    int32_t words[PARTS][32 / WORD_INPUTS];
} limb_record;

/// Writes sixteen inputs from input `first` of a slice on, and returns the sum of their integers.
INLINE int32_t write_limbs(f32x16 inputs, float inverse, size_t first, limb_record *y) {
    i32x16 rest = __builtin_convertvector(__builtin_elementwise_roundeven(inputs * splat(inverse)), i32x16);
    int32_t sum = __builtin_reduce_add(rest);
    UNROLL for (size_t n = PARTS; n-- > 0;) {
        i32x16 numbers = n > 0 ? ((rest + 64) & 127) - 64 : rest;
        write_part(numbers, y->words[n], first);
        rest = (rest - numbers) >> LIMB_BITS;
    }
    return sum;
}

/// Quantizes 32 inputs so that the largest magnitude becomes `largest_integer`. One input that is not finite makes
/// the whole slice not a number.
INLINE void quantize_record(f32x16 low, f32x16 high, int32_t largest_integer, limb_record *y) {
    // The bit patterns of positive floats are ordered like the floats, with infinity and NaN above all others.
    u32x16 l = bits_of(low) & 0x7fffffff, h = bits_of(high) & 0x7fffffff;
    uint32_t bits = __builtin_reduce_max(__builtin_elementwise_max(l, h));
    float largest = __builtin_bit_cast(float, bits);
    int is_finite = bits < 0x7f800000;
    // The quotient of smaller numbers would not be finite; they count as zeros.
    int is_zero = largest < 1e-30f;
    if (!is_finite || is_zero) {
        memset(y, 0, sizeof *y);
        float nothing = is_finite ? 0 : NAN;
        y->scale = y->half_sums[0] = y->half_sums[1] = y->sum = nothing;
        return;
    }
    float inverse = (float)largest_integer / largest;
    y->scale = largest * (1 / (float)largest_integer);
    int32_t first = write_limbs(low, inverse, 0, y), second = write_limbs(high, inverse, 16, y);
    y->half_sums[0] = (float)first * y->scale;
    y->half_sums[1] = (float)second * y->scale;
    y->sum = (float)(first + second) * y->scale;
}

INLINE void quantize_up_to(int32_t largest_integer, const float *x, size_t x_stride, const int32_t *order, void *y,
                           size_t y_stride, size_t rows, size_t width) {
    for (size_t r = 0; r < rows; r++) {
        const float *row = x + r * x_stride;
        limb_record *record = (limb_record *)y + r * y_stride;
        for (size_t i = 0; i < width; i += 32, record++) {
            size_t count = smaller(width - i, 32);
            const float *from = row + i;
            float gathered[32];
            if (order) {
                for (size_t j = 0; j < count; j++) { gathered[j] = row[order[i + j]]; }
                from = gathered;
            }
            f32x16 high = count > LANES ? load_some(from + LANES, count - LANES) : splat(0);
            quantize_record(load_some(from, count), high, largest_integer, record);
        }
    }
}

static void quantize_activations(const float *x, size_t x_stride, const int32_t *order, void *y, size_t y_stride,
                                 size_t rows, size_t width) {
    quantize_up_to(LARGEST_INTEGER, x, x_stride, order, y, y_stride, rows, width);
}

enum { INPUT_BYTES = sizeof(limb_record), CODE_BYTES = 4 / WORD_INPUTS };

INLINE void prepare_input(const panel_shape *s, const void *x, size_t x_stride, size_t rows, quantized_input *in) {
    in->x = x;
    in->stride = x_stride * sizeof(limb_record);
    size_t count = (s->matrix->k + 31) / 32, slices = s->matrix->group_size / 32;
    for (size_t r = 0; r < rows; r++) {
        const limb_record *row = (const limb_record *)(in->x + r * in->stride);
        float *sums = in->sums + r * s->groups;
        if (slices == 1) {
            // Most GGUF formats: one slice a group needs no loop over slices, which would cost measurable time.
            for (size_t g = 0; g < s->groups; g++) { sums[g] = row[g].sum; }
            continue;
        }
        for (size_t g = 0; g < s->groups; g++) {
            float sum = 0;
            for (size_t i = g * slices; i < (g + 1) * slices && i < count; i++) { sum += row[i].sum; }
            sums[g] = slices > 0 ? sum : row[g / 2].half_sums[g % 2];
        }
    }
}

/// The rows' records of one slice.
typedef struct input_rows {
    const char *first;
    /// Bytes from row to row.
    size_t stride;
    /// The first input in the record: a slice of sixteen inputs is half a record.
    size_t input;
} input_rows;

/// Rows from `row` on, at the slice of `inputs` inputs that begins with input `input`.
INLINE input_rows slice_rows(const quantized_input *in, size_t row, size_t input, size_t inputs) {
    size_t in_record = inputs == 32 ? 0 : input % 32;
    return (input_rows){in->x + row * in->stride + input / 32 * sizeof(limb_record), in->stride, in_record};
}

INLINE const limb_record *record_of(input_rows x, size_t row) {
    return (const limb_record *)(x.first + row * x.stride);
}

#endif
