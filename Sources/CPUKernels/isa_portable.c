// Plain C: SSE2 on x86-64, NEON on ARM.
#if defined(__aarch64__)
enum { SHORT_TILE_VECTORS = 1, TILE_VECTORS = 1 };
#define TILE_ROWS 6
#else
// A tile of three rows of 16 fills twelve of SSE2's sixteen registers.
enum { SHORT_TILE_VECTORS = 1 };
#define TILE_ROWS 3
#endif

#include "linear_quantized.h"
#include "table.h"
#include "tables.h"

const quire_kernels quire_table_portable =
    QUIRE_TABLE(quire_isa_portable, linear_bf16, quire_dtype_f32, .linear_quantized = linear_quantized);
