// Quantized weights times integers of DIGITS bytes, by AVX2: a file for each number of them.
#if defined(__x86_64__)

#include "CPUKernels.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

enum { FEW_VECTORS = 1, TILE_VECTORS = 1 };
// As many as twelve registers have room for sums of.
#define TILE_ROWS (DIGITS > 2 ? 3 : 6)

#define QUIRE_DIGIT_RECORDS "digit_pairs.h"
#define QUIRE_DIGIT_PRODUCTS "digit_pair_products.h"

#include "f16_avx2.h"
#include "linear_digits.h"

#pragma clang attribute pop

#endif
