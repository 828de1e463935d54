// A GEMM on unquantized weights: a workgroup computes 64 rows by 64 outputs and goes through the input DEPTH numbers at
// a time, which it keeps in shared memory (`gemm_single.glsl`, `gemm_half.glsl`). An invocation sums four rows by four
// outputs. In 32 bits it sums in the order, and in the SPLIT_K parts, of `gemv.comp`, so that both compute the same
// bits.

layout(set = 0, binding = WEIGHTS_BINDING) readonly buffer Weights { uvec4 weights[]; };

#define CHUNKS (DEPTH / CHUNK)

// Loads chunks from `chunk` on, before `last`; zeros past them, which change no sum.
void load_weights(uint chunk, uint last, uint chunk_count) {
    for (uint index = gl_LocalInvocationIndex; index < CHUNKS * SIDE; index += 256) {
        uint lane = index % TILE;
        uint half_tile = index / TILE % 2;
        uint own = index / SIDE;
        uint tile = gl_WorkGroupID.x * 2 + half_tile;
        uvec4 words = uvec4(0);
        if (chunk + own < last && has_weights(tile)) {
            words = weights[(WEIGHT_TILE(tile) * chunk_count + chunk + own) * TILE + lane];
        }
        vec4 low, high;
        UNPACK(words, low, high);
        for (uint number = 0; number < 4; number++) {
            weight_tile[own * CHUNK + number][half_tile * TILE + lane] = TILE_WEIGHT(low[number]);
#if CHUNK == 8
            weight_tile[own * CHUNK + 4 + number][half_tile * TILE + lane] = TILE_WEIGHT(high[number]);
#endif
        }
    }
}

// `row`: where the row begins that this invocation loads, if `has_row`.
void load_input(uint row, bool has_row, uint chunk, uint last) {
    uint first = gl_LocalInvocationIndex % 4 * 4;
    uint column = chunk * CHUNK + first;
    uint end = min(last * CHUNK, input_size);
    vec4 numbers = vec4(0);
    if (has_row && column < end) numbers = source[row + column / 4];
    for (uint number = 0; number < 4; number++) {
        input_tile[first + number][gl_LocalInvocationIndex / 4] =
            TILE_INPUT(column + number < end ? numbers[number] : 0.0);
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
    uint chunk_count = (input_size + CHUNK - 1) / CHUNK;
    uint per_split = (chunk_count + SPLIT_K - 1) / SPLIT_K;
    float totals[16];
    for (uint index = 0; index < 16; index++) totals[index] = 0;
    for (uint split = 0; split < SPLIT_K; split++) {
        uint last = min((split + 1) * per_split, chunk_count);
        float sums[16];
        for (uint index = 0; index < 16; index++) sums[index] = 0;
        for (uint chunk = split * per_split; chunk < last; chunk += CHUNKS) {
            load_weights(chunk, last, chunk_count);
            load_input(loaded_row, has_loaded_row, chunk, last);
            // The tile is complete.
            barrier();
            if (has_own_row) add_tile(own_row, own_column, sums);
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
