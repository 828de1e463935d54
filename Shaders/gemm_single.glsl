// The tiles of a GEMM in 32-bit floats. Rows are one number longer than a tile, against bank conflicts.

#define DEPTH 16
#define TILE_INPUT(number) (number)
#define TILE_WEIGHT(number) (number)

shared float input_tile[DEPTH][SIDE + 1];
shared float weight_tile[DEPTH][SIDE + 1];

// Adds the products of four rows and four outputs, in order.
void add_tile(uint row, uint column, inout float sums[16]) {
    for (uint depth = 0; depth < DEPTH; depth++) {
        vec4 left = vec4(
            weight_tile[depth][column], weight_tile[depth][column + 16], weight_tile[depth][column + 32],
            weight_tile[depth][column + 48]);
        [[unroll]] for (uint own = 0; own < 4; own++) {
            float right = input_tile[depth][row + own];
            [[unroll]] for (uint other = 0; other < 4; other++) {
                precise float sum = fma(left[other], right, sums[own * 4 + other]);
                sums[own * 4 + other] = sum;
            }
        }
    }
}
