// A packed linear operation for up to ROWS rows (`columns.glsl`), as `linear_columns` does a dense one: an invocation
// unpacks its weights once for all rows, and sums in the order of the input.

layout(set = 0, binding = CODES_BINDING) readonly buffer Quanta { UNIT_TYPE quanta[]; };

// Four numbers of the input. Where it ends inside of a slice, what follows it is not zero but unknown, or not there. A
// kernel for both kinds of slices would unpack in two places, and some compilers unpack for both beforehand, for which
// they lack registers.
#if ENDS_IN_SLICE
#define NUMBERS(row, place) \
    mix(vec4(0), source[(row) + min(place, (input_size - 1) / 4)], \
        lessThan((place) * 4 + uvec4(0, 1, 2, 3), uvec4(input_size)))
#else
#define NUMBERS(row, place) source[(row) + (place)]
#endif

#define STEP(piece) { \
    vec4 weights[COLUMNS]; \
    [[unroll]] for (uint column = 0; column < COLUMNS; column++) { \
        precise vec4 unpacked = \
            PIECE(words, column * BITS, piece, scaling[column * SCALES + piece * SCALES / PIECES]); \
        weights[column] = unpacked; \
    } \
    [[unroll]] for (uint row = 0; row < ROWS; row++) { \
        vec4 numbers = NUMBERS(rows[row], slice * PIECES + piece); \
        [[unroll]] for (uint column = 0; column < COLUMNS; column++) { \
            add_products(weights[column], numbers, sums[row * COLUMNS + column]); \
        } \
    } \
}

void main() {
    begin();
    float sums[ROWS * COLUMNS];
    [[unroll]] for (uint index = 0; index < ROWS * COLUMNS; index++) sums[index] = 0;
    for (uint slice = first_slice; slice < last_slice; slice++) {
        uint words[COLUMNS * BITS];
        [[unroll]] for (uint column = 0; column < COLUMNS; column++) {
            LOAD_SLICE(words, column * BITS, quanta_start + slice * UNITS * TILE + column * WIDTH)
        }
        load_scaling(slice);
        STEP(0) STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6) STEP(7)
    }
    write_sums(sums);
}
