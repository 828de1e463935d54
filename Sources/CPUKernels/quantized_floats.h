// Codes as f32, multiplied with f32 activations.
#ifndef QUIRE_QUANTIZED_FLOATS_H
#define QUIRE_QUANTIZED_FLOATS_H

#include "quantized_codes.h"
#include "tile.h"

// How many of the V vectors of a tile a slice and a block process at a time.
#define SLICE_VECTORS(R, V) (V)
#define BLOCK_VECTORS(R, V) ((V) > 1 ? (V) / 2 : 1)

enum { INPUT_BYTES = sizeof(float), CODE_BYTES = sizeof(float) };

/// The sum of `count` inputs. The order of additions depends on `count` alone.
INLINE float input_sum(const float *x, size_t count) {
    f32x16 sum = splat(0);
    for (size_t i = 0; i < count; i += LANES) { sum += load_some(x + i, count - i); }
    return sum_of(sum);
}

/// Fills `in` for `rows` rows.
INLINE void prepare_input(const panel_shape *s, const void *x, size_t x_stride, size_t rows, quantized_input *in) {
    const quire_quantized *q = s->matrix;
    size_t groups = s->groups, tail = q->k % slice_inputs(q);
    in->x = x;
    in->stride = x_stride * sizeof(float);
    in->whole_inputs = q->k - tail;
    for (size_t r = 0; r < rows; r++) {
        const float *row = (const float *)x + r * x_stride;
        for (size_t g = 0; g < groups; g++) {
            size_t first = g * q->group_size;
            in->sums[r * groups + g] = input_sum(row + first, smaller(q->group_size, q->k - first));
        }
        if (tail > 0) {
            memset(in->tails[r], 0, sizeof in->tails[r]);
            memcpy(in->tails[r], row + in->whole_inputs, tail * sizeof(float));
        }
    }
}

/// The rows' inputs of one slice.
typedef struct input_rows {
    const char *first;
    /// Bytes from row to row.
    size_t stride;
} input_rows;

/// Rows from `row` on, at the slice of `inputs` inputs that begins with input `input`.
INLINE input_rows slice_rows(const quantized_input *in, size_t row, size_t input, size_t inputs) {
    (void)inputs;
    if (input >= in->whole_inputs) {
        return (input_rows){(const char *)in->tails[row], sizeof in->tails[row]};
    }
    return (input_rows){in->x + row * in->stride + input * sizeof(float), in->stride};
}

INLINE void multiply_slice(code_kind kind, const quire_quantized *q, size_t rows, size_t vectors, const char *slice,
                           size_t lane, input_rows x, accumulators acc) {
    f32x16 book = book_floats(q);
    for (size_t octet = 0; octet < kind.inputs / OCTET; octet++) {
        octet_words words[PANEL_VECTORS];
        UNROLL for (size_t v = 0; v < vectors; v++) {
            words[v] = load_octet(kind, q, slice, octet, lane + v * LANES);
        }
        UNROLL for (size_t i = 0; i < OCTET; i++) {
            f32x16 weights[PANEL_VECTORS];
            UNROLL for (size_t v = 0; v < vectors; v++) { weights[v] = octet_floats(kind, book, words[v], i); }
            UNROLL for (size_t r = 0; r < rows; r++) {
                f32x16 value = splat(((const float *)(x.first + r * x.stride))[octet * OCTET + i]);
                UNROLL for (size_t v = 0; v < vectors; v++) { acc[r][v] = value * weights[v] + acc[r][v]; }
            }
        }
    }
}

/// To [inputs, 64].
INLINE void unpack_slice(code_kind kind, const quire_quantized *q, const char *slice, void *unpacked) {
    f32x16 book = book_floats(q);
    for (size_t octet = 0; octet < kind.inputs / OCTET; octet++) {
        for (size_t lane = 0; lane < quire_panel_width; lane += LANES) {
            octet_words words = load_octet(kind, q, slice, octet, lane);
            UNROLL for (size_t i = 0; i < OCTET; i++) {
                float *to = (float *)unpacked + (octet * OCTET + i) * quire_panel_width + lane;
                store(to, octet_floats(kind, book, words, i));
            }
        }
    }
}

INLINE void multiply_unpacked(size_t rows, size_t vectors, size_t inputs, const void *unpacked, size_t lane,
                              input_rows x, accumulators acc) {
    tile_multiply(quire_dtype_f32, rows, vectors, (const float *)x.first, x.stride / sizeof(float),
                  (const float *)unpacked + lane, quire_panel_width, inputs, 0, acc);
}

#endif
