// Quantized weights times integers of DIGITS bytes, by AVX512_VNNI: a file for each number of them, which tables share.
#if defined(__x86_64__)

#include "CPUKernels.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(                                                                                   \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c"))), apply_to = function)

enum { FEW_VECTORS = 4, TILE_VECTORS = 4 };
#define TILE_ROWS 6

#define QUIRE_DIGIT_RECORDS "digit_bytes.h"
#define QUIRE_DIGIT_PRODUCTS "digit_byte_products.h"

#include "f16_avx512.h"
#include "linear_digits.h"

#pragma clang attribute pop

#endif
