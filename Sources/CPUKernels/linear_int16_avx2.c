// Integers of one byte and of two, by AVX2: what multiplies numbers of 16 bits does not ask how many of them are used.
#define DIGITS 2
#define QUIRE_DIGIT_KERNELS quire_int16_avx2
#include "linear_digits_avx2.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

static void bytes_from_f32(const float *x, size_t x_stride, const int32_t *order, void *y, size_t y_stride, size_t rows,
                           size_t width) {
    digits_up_to(127, x, x_stride, order, y, y_stride, rows, width);
}

#pragma clang attribute pop

const quire_digit_kernels quire_int8_avx2 = {
    .record_byte_count = sizeof(slice_digits), .from_f32 = bytes_from_f32, .linear = linear_quantized};
#endif
