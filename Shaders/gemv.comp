// A GEMV on unquantized weights (`gemv.glsl`): an invocation loads weights once for all rows and numbers of the input
// once for all of its outputs, and sums in the order of the input.

layout(set = 0, binding = WEIGHTS_BINDING) readonly buffer Weights { uvec4 weights[]; };

// The products of chunk `chunk`; `MASK` is applied to four numbers of the input first.
#define STEP(chunk, MASK) { \
    vec4 low[OUTPUTS], high[OUTPUTS]; \
    [[unroll]] for (uint column = 0; column < OUTPUTS; column++) { \
        uvec4 words = weights[tile + (chunk) * TILE + column * LANES]; \
        UNPACK(words, low[column], high[column]); \
    } \
    [[unroll]] for (uint row = 0; row < ROWS; row++) { \
        if (HAS_ROW(row)) { \
            ADD_PART(low, chunk, 0, MASK) \
            ADD_HIGH(chunk, MASK) \
        } \
    } \
}

// The products of four numbers of a chunk, from number `part` on.
#define ADD_PART(loaded, chunk, part, MASK) { \
    vec4 numbers = MASK(source[rows[row] + (chunk) * (CHUNK / 4) + (part) / 4], (chunk) * CHUNK + (part)); \
    [[unroll]] for (uint column = 0; column < OUTPUTS; column++) { \
        add_products(loaded[column], numbers, sums[row * OUTPUTS + column]); \
    } \
}

#if CHUNK == 8
#define ADD_HIGH(chunk, MASK) ADD_PART(high, chunk, 4, MASK)
#else
#define ADD_HIGH(chunk, MASK)
#endif

#define UNMASKED(numbers, index) numbers
// Where the input ends inside of a chunk, the numbers behind it are unknown, so they are masked.
#define MASKED(numbers, index) mix(vec4(0), numbers, lessThan((index) + uvec4(0, 1, 2, 3), uvec4(input_size)))

void main() {
    BEGIN(has_weights(OUTPUT_TILE))
    uint split = gl_LocalInvocationID.y;
    uint chunk_count = (input_size + CHUNK - 1) / CHUNK;
    uint per_split = (chunk_count + SPLIT_K - 1) / SPLIT_K;
    uint first = split * per_split;
    uint last = min(first + per_split, chunk_count);
    uint whole = min(last, input_size / CHUNK);
    uint tile = WEIGHT_TILE(OUTPUT_TILE) * chunk_count * TILE + gl_LocalInvocationID.x;

    uint rows[ROWS];
    float sums[ROWS * OUTPUTS];
    [[unroll]] for (uint row = 0; row < ROWS; row++) {
        // Rows past the end compute the last row once more, and their results are dropped.
        rows[row] = input_start(min(FIRST_ROW(ROWS) + row, ROW_COUNT - 1));
    }
    [[unroll]] for (uint index = 0; index < ROWS * OUTPUTS; index++) sums[index] = 0;
    for (uint chunk = first; chunk < whole; chunk++) STEP(chunk, UNMASKED)
    if (first <= whole && whole < last) STEP(whole, MASKED)
    write_sums(sums);
}
