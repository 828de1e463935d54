// The tables of products with activations of LIMBS limbs: QUIRE_LIMB_KERNELS, and where QUIRE_INT8_KERNELS is defined a
// second one, for integers of one limb in the same records.

/// Adds the products of word `word` of unpacked codes, sixteen outputs at `codes`, to the sums of `rows` rows.
INLINE void add_word(size_t rows, size_t word, const uint32_t *codes, const limb_record *const *records, size_t first,
                     i32x16 (*sums)[PARTS]) {
    u32x16 values = *(const u32x16_anywhere *)(codes + word * quire_panel_width);
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t n = 0; n < PARTS; n++) {
            sums[r][n] = add_products(sums[r][n], values, records[r]->words[n][first + word]);
        }
    }
}

INLINE void multiply_unpacked(size_t rows, size_t vectors, size_t inputs, const void *unpacked, size_t lane,
                              input_rows x, accumulators acc) {
    const limb_record *records[MAX_ROWS];
    UNROLL for (size_t r = 0; r < rows; r++) { records[r] = record_of(x, r); }
    size_t words = inputs / WORD_INPUTS, first = x.input / WORD_INPUTS;
    UNROLL for (size_t v = 0; v < vectors; v++) {
        i32x16 sums[MAX_ROWS][PARTS] = {0};
        const uint32_t *codes = (const uint32_t *)unpacked + lane + v * LANES;
        // Constant offsets save a tenth of the time. With more than eight words, the code would be too large for that.
        if (words <= 8) {
            UNROLL for (size_t word = 0; word < words; word++) { add_word(rows, word, codes, records, first, sums); }
        } else {
            _Pragma("clang loop unroll(disable)")
            for (size_t word = 0; word < words; word++) { add_word(rows, word, codes, records, first, sums); }
        }
        UNROLL for (size_t r = 0; r < rows; r++) {
            acc[r][v] = add_slice(sums[r], records[r]->scale, acc[r][v]);
        }
    }
}

#include "linear_quantized.h"
#include "tables.h"

const quire_limb_kernels QUIRE_LIMB_KERNELS = {
    .record_byte_count = sizeof(limb_record), .quantize = quantize_activations, .linear = linear_quantized};

#ifdef QUIRE_INT8_KERNELS
static void quantize_to_int8(const float *x, size_t x_stride, const int32_t *order, void *y, size_t y_stride,
                             size_t rows, size_t width) {
    quantize_up_to(127, x, x_stride, order, y, y_stride, rows, width);
}

const quire_limb_kernels QUIRE_INT8_KERNELS = {
    .record_byte_count = sizeof(limb_record), .quantize = quantize_to_int8, .linear = linear_quantized};
#endif
