// A GEMV on quantized weights (`gemv.glsl`): an invocation unpacks weights once for all rows, and sums in the order of
// the input.

layout(set = 0, binding = CODES_BINDING) readonly buffer Codes { UNIT_TYPE codes[]; };

// Four numbers of the input. Where it ends inside of a slice, the numbers behind it are unknown or out of bounds, so
// they are masked. The kernel is compiled for one kind of slices: with both it would unpack in two branches, and some
// compilers move both unpackings before the branch and run out of registers.
#if ENDS_IN_SLICE
#define NUMBERS(row, index) \
    mix(vec4(0), source[(row) + min(index, (input_size - 1) / 4)], \
        lessThan((index) * 4 + uvec4(0, 1, 2, 3), uvec4(input_size)))
#else
#define NUMBERS(row, index) source[(row) + (index)]
#endif

#define STEP(piece) { \
    vec4 weights[OUTPUTS]; \
    [[unroll]] for (uint column = 0; column < OUTPUTS; column++) { \
        precise vec4 unpacked = \
            PIECE(words, column * BITS, piece, scaling[column * SCALES + piece * SCALES / PIECES], extras[column]); \
        weights[column] = unpacked; \
    } \
    [[unroll]] for (uint row = 0; row < ROWS; row++) { \
        if (HAS_ROW(row)) { \
            vec4 numbers = NUMBERS(rows[row], slice * PIECES + piece); \
            [[unroll]] for (uint column = 0; column < OUTPUTS; column++) { \
                add_products(weights[column], numbers, sums[row * OUTPUTS + column]); \
            } \
        } \
    } \
}

void main() {
    BEGIN(has_weights(OUTPUT_TILE))
    begin();
    float sums[ROWS * OUTPUTS];
    [[unroll]] for (uint index = 0; index < ROWS * OUTPUTS; index++) sums[index] = 0;
    for (uint slice = first_slice; slice < last_slice; slice++) {
        uint words[OUTPUTS * BITS];
        [[unroll]] for (uint column = 0; column < OUTPUTS; column++) {
            LOAD_SLICE(words, column * BITS, codes_start + slice * UNITS * TILE + column * LANES)
        }
        load_scaling(slice);
        STEP(0) STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6) STEP(7)
    }
    write_sums(sums);
}
