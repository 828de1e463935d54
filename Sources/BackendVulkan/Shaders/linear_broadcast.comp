// output = input · weightsᵀ + bias for up to ROWS rows, for lanes of a processor's vector unit, where every load of an
// invocation is a load of its own. A workgroup is one subgroup; each number of the input is loaded by one lane, handed
// to all, and used for all of a lane's columns. The sums are formed in the same order as in `linear_columns`.

layout(local_size_x = SUBGROUP) in;

layout(set = 0, binding = WEIGHTS_BINDING) readonly buffer Weights { uvec4 weights[]; };

// Columns of a lane; they are SUBGROUP apart.
#define LANE_COLUMNS (TILE / SUBGROUP)

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

// The chunk whose numbers lane `lane` has.
#define STEP(lane) \
    if (first + lane < chunk_count) { \
        vec4 low[LANE_COLUMNS]; \
        vec4 high[LANE_COLUMNS]; \
        [[unroll]] for (uint column = 0; column < LANE_COLUMNS; column++) { \
            uvec4 words = weights[tile + (first + lane) * TILE + column * SUBGROUP]; \
            UNPACK(words, low[column], high[column]); \
        } \
        [[unroll]] for (uint row = 0; row < ROWS; row++) { \
            vec4 low_number = BROADCAST(low_numbers[row], lane); \
            HIGH_NUMBER(lane) \
            [[unroll]] for (uint column = 0; column < LANE_COLUMNS; column++) { \
                precise float total = sums[row * LANE_COLUMNS + column]; \
                ADD_PRODUCTS(low[column], low_number) \
                ADD_HIGH \
                sums[row * LANE_COLUMNS + column] = total; \
            } \
        } \
    }

void main() {
    uint own_lane = gl_SubgroupInvocationID;
    uint chunk_count = (input_size + CHUNK - 1) / CHUNK;
    uint tile = gl_WorkGroupID.x * chunk_count * TILE + own_lane;
    uint first_row = gl_WorkGroupID.y * ROWS;

    float sums[ROWS * LANE_COLUMNS];
    uint rows[ROWS];
    [[unroll]] for (uint index = 0; index < ROWS * LANE_COLUMNS; index++) sums[index] = 0;
    // Past the end, the last row once more: its result is dropped.
    [[unroll]] for (uint row = 0; row < ROWS; row++) {
        rows[row] = min(first_row + row, row_count - 1) * input_stride + input_offset;
    }
    for (uint first = 0; first < chunk_count; first += SUBGROUP) {
        uint own = first + own_lane;
        vec4 low_numbers[ROWS];
        vec4 high_numbers[ROWS];
        [[unroll]] for (uint row = 0; row < ROWS; row++) {
            uint place = rows[row] + min(own, chunk_count - 1) * (CHUNK / 4);
            low_numbers[row] = source[place];
#if CHUNK == 8
            high_numbers[row] = source[place + 1];
#endif
        }
        // Where the input ends inside of a chunk, what follows it is not zero but unknown.
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
    uint first_column = gl_WorkGroupID.x * TILE + own_lane;
    [[unroll]] for (uint column = 0; column < LANE_COLUMNS; column++) {
        [[unroll]] for (uint row = 0; row < ROWS; row++) {
            write_result(first_row + row, first_column + column * SUBGROUP, sums[row * LANE_COLUMNS + column]);
        }
    }
}
