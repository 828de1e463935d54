// Quantized weights times integers of DIGITS bytes: one table, under the name QUIRE_DIGIT_KERNELS, for the instruction set
// whose file includes this.

#include "linear_quantized.h"
#include "tables.h"

const quire_digit_kernels QUIRE_DIGIT_KERNELS = {
    .record_byte_count = sizeof(slice_digits), .from_f32 = digits_from_f32, .linear = linear_quantized};
