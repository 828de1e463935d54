// A GEMV on unquantized weights for up to ROWS rows, for lanes of a CPU's vector unit, where every load of an
// invocation is a load of its own. A workgroup is one subgroup. One lane loads a number of the input and broadcasts it
// to all, which use it for all of their outputs. The order of the sums is that of `gemv.comp`.

layout(local_size_x = SUBGROUP) in;

layout(set = 0, binding = WEIGHTS_BINDING) readonly buffer Weights { uvec4 weights[]; };

// Outputs of a lane, SUBGROUP apart.
#define LANE_OUTPUTS (TILE / SUBGROUP)

#define BROADCAST(numbers, lane) \
    vec4(subgroupBroadcast(numbers.x, lane), subgroupBroadcast(numbers.y, lane), \
         subgroupBroadcast(numbers.z, lane), subgroupBroadcast(numbers.w, lane))

#define ADD_PRODUCTS(left, right) \
    total = fma(left.x, right.x, total); \
    total = fma(left.y, right.y, total); \
    total = fma(left.z, right.z, total); \
    total = fma(left.w, right.w, total);

#if CHUNK == 8
#define ADD_HIGH ADD_PRODUCTS(high[column], high_number)
#define HIGH_NUMBER(lane) vec4 high_number = BROADCAST(high_numbers[row], lane);
#else
#define ADD_HIGH
#define HIGH_NUMBER(lane)
#endif

// The products of the chunk whose numbers lane `lane` has loaded.
#define STEP(lane) \
    if (first + lane < chunk_count) { \
        vec4 low[LANE_OUTPUTS]; \
        vec4 high[LANE_OUTPUTS]; \
        [[unroll]] for (uint column = 0; column < LANE_OUTPUTS; column++) { \
            uvec4 words = weights[tile + (first + lane) * TILE + column * SUBGROUP]; \
            UNPACK(words, low[column], high[column]); \
        } \
        [[unroll]] for (uint row = 0; row < ROWS; row++) { \
            if (!HAS_ROW(row)) continue; \
            vec4 low_number = BROADCAST(low_numbers[row], lane); \
            HIGH_NUMBER(lane) \
            [[unroll]] for (uint column = 0; column < LANE_OUTPUTS; column++) { \
                precise float total = sums[row * LANE_OUTPUTS + column]; \
                ADD_PRODUCTS(low[column], low_number) \
                ADD_HIGH \
                sums[row * LANE_OUTPUTS + column] = total; \
            } \
        } \
    }

void main() {
    BEGIN(has_weights(OUTPUT_TILE))
    uint own_lane = gl_SubgroupInvocationID;
    uint chunk_count = (input_size + CHUNK - 1) / CHUNK;
    uint tile = WEIGHT_TILE(OUTPUT_TILE) * chunk_count * TILE + own_lane;
    uint first_row = FIRST_ROW(ROWS);

    float sums[ROWS * LANE_OUTPUTS];
    uint rows[ROWS];
    [[unroll]] for (uint index = 0; index < ROWS * LANE_OUTPUTS; index++) sums[index] = 0;
    // Rows past the end compute the last row once more, and their results are dropped.
    [[unroll]] for (uint row = 0; row < ROWS; row++) {
        rows[row] = input_start(min(first_row + row, ROW_COUNT - 1));
    }
    for (uint first = 0; first < chunk_count; first += SUBGROUP) {
        uint own = first + own_lane;
        vec4 low_numbers[ROWS];
        vec4 high_numbers[ROWS];
        [[unroll]] for (uint row = 0; row < ROWS; row++) {
            uint offset = rows[row] + min(own, chunk_count - 1) * (CHUNK / 4);
            low_numbers[row] = source[offset];
#if CHUNK == 8
            high_numbers[row] = source[offset + 1];
#endif
        }
        // Where the input ends inside of a chunk, the numbers behind it are unknown, so they are masked.
        if (first + SUBGROUP >= chunk_count && input_size % CHUNK != 0) {
            uvec4 index = own * CHUNK + uvec4(0, 1, 2, 3);
            [[unroll]] for (uint row = 0; row < ROWS; row++) {
                low_numbers[row] = mix(vec4(0), low_numbers[row], lessThan(index, uvec4(input_size)));
#if CHUNK == 8
                high_numbers[row] = mix(vec4(0), high_numbers[row], lessThan(index + 4, uvec4(input_size)));
#endif
            }
        }
        STEP(0)
        STEP(1)
#if SUBGROUP > 2
        STEP(2)
        STEP(3)
#endif
#if SUBGROUP > 4
        STEP(4)
        STEP(5)
        STEP(6)
        STEP(7)
#endif
    }
    uint first_column = OUTPUT_TILE * TILE + own_lane;
    [[unroll]] for (uint column = 0; column < LANE_OUTPUTS; column++) {
        [[unroll]] for (uint row = 0; row < ROWS; row++) {
            write_result(first_row + row, first_column + column * SUBGROUP, sums[row * LANE_OUTPUTS + column]);
        }
    }
}
