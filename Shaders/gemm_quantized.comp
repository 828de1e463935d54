// A GEMM on quantized weights: a workgroup computes 64 rows by 64 outputs and goes through the input half a slice at a
// time, unpacked to shared memory. An invocation sums four rows by four outputs, in the order and in the SPLIT_K parts
// of `gemv_quantized.comp`, so that both compute the same bits.

layout(set = 0, binding = CODES_BINDING) readonly buffer Codes { uint codes[]; };

#define DEPTH (SLICE / 2)

shared float input_tile[DEPTH][SIDE + 1];
shared float weight_tile[DEPTH][SIDE + 1];

// Loads and unpacks part `part`, half a slice: an invocation has four numbers of one output.
void load_weights(uint slice, uint part, uint slice_count) {
    uint lane = gl_LocalInvocationIndex % TILE;
    uint half_tile = gl_LocalInvocationIndex / TILE % 2;
    uint own = gl_LocalInvocationIndex / SIDE * 4;
    uint tile = gl_WorkGroupID.x * 2 + half_tile;
    vec4 unpacked = vec4(0);
    if (has_weights(tile)) {
        uint start = (WEIGHT_TILE(tile) * slice_count + slice) * BITS * TILE + lane * UNIT;
        uint group = SCALES == 2 ? slice * 2 + part : slice / group_slices;
        uint scales_start = scales_of_tile(WEIGHT_TILE(tile), group_count);
        vec2 scaling = scaling_of(scales_start, group, group_count, lane);
#ifdef GRID
        uint piece = (part * DEPTH + own) / 4;
        precise vec4 numbers = fma(
            byte_floats(grid_values(
                CODES_WORD(start, INDEX_WORD(piece)), CODES_WORD(start, SIGN_WORD),
                extra_of(scales_start, slice, lane), piece)),
            vec4(scaling.x), vec4(0));
#else
        uint bit = (part * DEPTH + own) * BITS;
        uint word = bit / 32;
        uint bits = CODES_WORD(start, word) >> (bit % 32);
        if (bit % 32 + 4 * BITS > 32) {
            word += 1;
            bits |= CODES_WORD(start, word) << (32 - bit % 32);
        }
        uvec4 four = uvec4(bits, bits >> BITS, bits >> (2 * BITS), bits >> (3 * BITS)) & MASK;
        precise vec4 numbers = fma(
            vec4(code_value(four.x), code_value(four.y), code_value(four.z), code_value(four.w)), vec4(scaling.x),
            vec4(scaling.y));
#endif
        unpacked = numbers;
    }
    for (uint number = 0; number < 4; number++) {
        weight_tile[own + number][half_tile * TILE + lane] = unpacked[number];
    }
}

// `row`: where the row begins that this invocation loads, if `has_row`.
void load_input(uint row, bool has_row, uint slice, uint part) {
    uint first = gl_LocalInvocationIndex % 4 * 4;
    uint column = slice * SLICE + part * DEPTH + first;
    vec4 numbers = vec4(0);
    if (has_row && column < input_size) numbers = source[row + column / 4];
    for (uint number = 0; number < 4; number++) {
        input_tile[first + number][gl_LocalInvocationIndex / 4] = column + number < input_size ? numbers[number] : 0.0;
    }
}

void main() {
    BEGIN_SIDE
    uint own_column = gl_LocalInvocationIndex % 16;
    uint own_row = gl_LocalInvocationIndex / 16 * 4;
    // Without a row of its own, an invocation only helps to load.
    bool has_own_row = FIRST_ROW(SIDE) + own_row < ROW_COUNT;
    bool has_loaded_row = FIRST_ROW(SIDE) + gl_LocalInvocationIndex / 4 < ROW_COUNT;
    uint loaded_row = has_loaded_row ? input_start(FIRST_ROW(SIDE) + gl_LocalInvocationIndex / 4) : 0;
    uint slice_count = (input_size + SLICE - 1) / SLICE;
    uint per_split = (slice_count + SPLIT_K - 1) / SPLIT_K;
    float totals[16];
    for (uint index = 0; index < 16; index++) totals[index] = 0;
    for (uint split = 0; split < SPLIT_K; split++) {
        uint last = min((split + 1) * per_split, slice_count);
        float sums[16];
        for (uint index = 0; index < 16; index++) sums[index] = 0;
        for (uint step = split * per_split * 2; step < last * 2; step++) {
            load_weights(step / 2, step % 2, slice_count);
            load_input(loaded_row, has_loaded_row, step / 2, step % 2);
            // The tile is complete.
            barrier();
            for (uint depth = 0; has_own_row && depth < DEPTH; depth++) {
                vec4 left = vec4(
                    weight_tile[depth][own_column], weight_tile[depth][own_column + 16],
                    weight_tile[depth][own_column + 32], weight_tile[depth][own_column + 48]);
                [[unroll]] for (uint row = 0; row < 4; row++) {
                    float right = input_tile[depth][own_row + row];
                    [[unroll]] for (uint column = 0; column < 4; column++) {
                        precise float sum = fma(left[column], right, sums[row * 4 + column]);
                        sums[row * 4 + column] = sum;
                    }
                }
            }
            // The next tile overwrites it.
            barrier();
        }
        for (uint index = 0; index < 16; index++) {
            precise float total = split == 0 ? sums[index] : totals[index] + sums[index];
            totals[index] = total;
        }
    }
    write_sums(totals, own_row, own_column);
}
