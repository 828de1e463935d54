// The tables of products with activations of LIMBS limbs: QUIRE_LIMB_KERNELS, and where QUIRE_INT8_KERNELS is defined a
// second one, for integers of one limb in the same records.

INLINE void multiply_unpacked(size_t rows, size_t vectors, size_t inputs, const void *unpacked, size_t lane,
                              input_rows x, accumulators acc) {
    UNROLL for (size_t v = 0; v < vectors; v++) {
        i32x16 sums[MAX_ROWS][PARTS] = {0};
        for (size_t word = 0; word < inputs / WORD_INPUTS; word++) {
            const uint32_t *from = (const uint32_t *)unpacked + word * quire_panel_width + lane + v * LANES;
            u32x16 codes = *(const u32x16_anywhere *)from;
            UNROLL for (size_t r = 0; r < rows; r++) {
                UNROLL for (size_t n = 0; n < PARTS; n++) {
                    int32_t limbs = record_of(x, r)->words[n][x.input / WORD_INPUTS + word];
                    sums[r][n] = add_products(sums[r][n], codes, limbs);
                }
            }
        }
        UNROLL for (size_t r = 0; r < rows; r++) {
            acc[r][v] = add_slice(sums[r], record_of(x, r)->scale, acc[r][v]);
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
