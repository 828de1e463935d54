// Quantized weights times integers of DIGITS bytes: one table, under the name QUIRE_DIGIT_KERNELS, for the instruction set
// whose file includes this. A second one where QUIRE_BYTE_KERNELS names it: integers of one byte in the same records.

#include "linear_quantized.h"
#include "tables.h"

const quire_digit_kernels QUIRE_DIGIT_KERNELS = {
    .record_byte_count = sizeof(slice_digits), .from_f32 = digits_from_f32, .linear = linear_quantized};

#ifdef QUIRE_BYTE_KERNELS
static void bytes_from_f32(const float *x, size_t x_stride, const int32_t *order, void *y, size_t y_stride, size_t rows,
                           size_t width) {
    digits_up_to(127, x, x_stride, order, y, y_stride, rows, width);
}

const quire_digit_kernels QUIRE_BYTE_KERNELS = {
    .record_byte_count = sizeof(slice_digits), .from_f32 = bytes_from_f32, .linear = linear_quantized};
#endif
