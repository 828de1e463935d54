// output = input · weightsᵀ + bias for up to ROWS rows (`columns.glsl`): an invocation reads its weights once for all
// rows and numbers of the input once for all of its columns, and sums in the order of the input.

layout(set = 0, binding = WEIGHTS_BINDING) readonly buffer Weights { uvec4 weights[]; };

// The products of chunk `chunk`; `WEIGHED` is what becomes of four numbers of the input first.
#define STEP(chunk, WEIGHED) { \
    vec4 low[COLUMNS], high[COLUMNS]; \
    [[unroll]] for (uint column = 0; column < COLUMNS; column++) { \
        uvec4 words = weights[tile + (chunk) * TILE + column * WIDTH]; \
        UNPACK(words, low[column], high[column]); \
    } \
    [[unroll]] for (uint row = 0; row < ROWS; row++) { \
        ADD_PART(low, chunk, 0, WEIGHED) \
        ADD_HIGH(chunk, WEIGHED) \
    } \
}

// The products of four numbers of a chunk, of which `part` stand before them.
#define ADD_PART(loaded, chunk, part, WEIGHED) { \
    vec4 numbers = WEIGHED(source[rows[row] + (chunk) * (CHUNK / 4) + (part) / 4], (chunk) * CHUNK + (part)); \
    [[unroll]] for (uint column = 0; column < COLUMNS; column++) { \
        add_products(loaded[column], numbers, sums[row * COLUMNS + column]); \
    } \
}

#if CHUNK == 8
#define ADD_HIGH(chunk, WEIGHED) ADD_PART(high, chunk, 4, WEIGHED)
#else
#define ADD_HIGH(chunk, WEIGHED)
#endif

#define WHOLE(numbers, place) numbers
// Where the input ends inside of a chunk, what follows it is not zero but unknown.
#define CUT(numbers, place) mix(vec4(0), numbers, lessThan((place) + uvec4(0, 1, 2, 3), uvec4(input_size)))

void main() {
    uint split = gl_LocalInvocationID.y;
    uint chunk_count = (input_size + CHUNK - 1) / CHUNK;
    uint per_split = (chunk_count + SPLITS - 1) / SPLITS;
    uint first = split * per_split;
    uint last = min(first + per_split, chunk_count);
    uint whole = min(last, input_size / CHUNK);
    uint tile = gl_WorkGroupID.x * chunk_count * TILE + gl_LocalInvocationID.x;

    uint rows[ROWS];
    float sums[ROWS * COLUMNS];
    [[unroll]] for (uint row = 0; row < ROWS; row++) {
        // Past the end, the last row once more: its result is dropped.
        rows[row] = min(gl_WorkGroupID.y * ROWS + row, row_count - 1) * input_stride + input_offset;
    }
    [[unroll]] for (uint index = 0; index < ROWS * COLUMNS; index++) sums[index] = 0;
    for (uint chunk = first; chunk < whole; chunk++) STEP(chunk, WHOLE)
    if (first <= whole && whole < last) STEP(whole, CUT)
    write_sums(sums);
}
