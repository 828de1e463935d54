// The tiles of a GEMM in 16-bit floats, two numbers at once: half the shared memory and, where the device computes on
// two at once, half the instructions. Sums of DEPTH products are added up in 32 bits. Inputs are scaled down, which is
// exact but for tiny numbers, so that no sum of a tile overflows.

#define DEPTH 16
#define INPUT_SCALE 0.0625
#define TILE_INPUT(number) float16_t((number) * INPUT_SCALE)
#define TILE_WEIGHT(number) float16_t(number)

shared float16_t input_tile[DEPTH][SIDE + 2];
shared float16_t weight_tile[DEPTH][SIDE + 2];

// Adds the products of four rows and four outputs.
void add_tile(uint row, uint column, inout float sums[16]) {
    f16vec2 parts[8];
    [[unroll]] for (uint index = 0; index < 8; index++) parts[index] = f16vec2(0);
    for (uint depth = 0; depth < DEPTH; depth++) {
        f16vec2 left = f16vec2(weight_tile[depth][column], weight_tile[depth][column + 16]);
        f16vec2 right = f16vec2(weight_tile[depth][column + 32], weight_tile[depth][column + 48]);
        [[unroll]] for (uint own = 0; own < 4; own++) {
            f16vec2 number = f16vec2(input_tile[depth][row + own]);
            parts[own * 2] = fma(left, number, parts[own * 2]);
            parts[own * 2 + 1] = fma(right, number, parts[own * 2 + 1]);
        }
    }
    [[unroll]] for (uint index = 0; index < 8; index++) {
        sums[index * 2] += float(parts[index].x) * (1.0 / INPUT_SCALE);
        sums[index * 2 + 1] += float(parts[index].y) * (1.0 / INPUT_SCALE);
    }
}
