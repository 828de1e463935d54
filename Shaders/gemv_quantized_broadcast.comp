// A GEMV on quantized weights for up to ROWS rows, for lanes of a CPU's vector unit, where every load of an invocation
// is a load of its own. A workgroup is one subgroup. One lane loads a number of the input and broadcasts it to all,
// which use it for all of their outputs. The order of the sums is that of `gemv_quantized.comp`.

layout(local_size_x = SUBGROUP) in;

layout(set = 0, binding = CODES_BINDING) readonly buffer Codes { UNIT_TYPE codes[]; };

// Outputs of a lane, SUBGROUP apart.
#define LANE_OUTPUTS (TILE / SUBGROUP)
// Pieces of a slice that a lane loads.
#define OWN_PIECES (PIECES / SUBGROUP)

#define BROADCAST(numbers, lane) \
    vec4(subgroupBroadcast(numbers.x, lane), subgroupBroadcast(numbers.y, lane), \
         subgroupBroadcast(numbers.z, lane), subgroupBroadcast(numbers.w, lane))

#define STEP(piece) { \
    vec4 piece_weights[LANE_OUTPUTS]; \
    [[unroll]] for (uint column = 0; column < LANE_OUTPUTS; column++) { \
        precise vec4 unpacked = \
            PIECE(words, column * BITS, piece, scaling[column * SCALES + piece * SCALES / PIECES], extras[column]); \
        piece_weights[column] = unpacked; \
    } \
    [[unroll]] for (uint row = 0; row < ROWS; row++) { \
        if (!HAS_ROW(row)) continue; \
        vec4 number = BROADCAST(numbers[row * OWN_PIECES + piece / SUBGROUP], piece % SUBGROUP); \
        [[unroll]] for (uint column = 0; column < LANE_OUTPUTS; column++) { \
            precise float total = sums[row * LANE_OUTPUTS + column]; \
            total = fma(piece_weights[column].x, number.x, total); \
            total = fma(piece_weights[column].y, number.y, total); \
            total = fma(piece_weights[column].z, number.z, total); \
            total = fma(piece_weights[column].w, number.w, total); \
            sums[row * LANE_OUTPUTS + column] = total; \
        } \
    } \
}

void main() {
    BEGIN(has_weights(OUTPUT_TILE))
    uint own_lane = gl_SubgroupInvocationID;
    uint slice_count = (input_size + SLICE - 1) / SLICE;
    uint tile = WEIGHT_TILE(OUTPUT_TILE) * slice_count * UNITS * TILE + own_lane;
    uint scale_start = scales_of_tile(WEIGHT_TILE(OUTPUT_TILE), group_count);
    uint first_row = FIRST_ROW(ROWS);

    float sums[ROWS * LANE_OUTPUTS];
    uint rows[ROWS];
    [[unroll]] for (uint index = 0; index < ROWS * LANE_OUTPUTS; index++) sums[index] = 0;
    // Rows past the end compute the last row once more, and their results are dropped.
    [[unroll]] for (uint row = 0; row < ROWS; row++) {
        rows[row] = input_start(min(first_row + row, ROW_COUNT - 1));
    }
    vec2 scaling[LANE_OUTPUTS * SCALES];
    uint group = 0;
    uint left = 0;
    for (uint slice = 0; slice < slice_count; slice++) {
        vec4 numbers[ROWS * OWN_PIECES];
        [[unroll]] for (uint own = 0; own < OWN_PIECES; own++) {
            uint index = slice * PIECES + own * SUBGROUP + own_lane;
            uint present = min(index, (input_size - 1) / 4);
            [[unroll]] for (uint row = 0; row < ROWS; row++) {
                numbers[row * OWN_PIECES + own] = source[rows[row] + present];
            }
            // Where the input ends inside of a slice, the numbers behind it are unknown, so they are masked.
            if ((slice + 1) * SLICE > input_size) {
                bvec4 is_there = lessThan(index * 4 + uvec4(0, 1, 2, 3), uvec4(input_size));
                [[unroll]] for (uint row = 0; row < ROWS; row++) {
                    numbers[row * OWN_PIECES + own] = mix(vec4(0), numbers[row * OWN_PIECES + own], is_there);
                }
            }
        }
#if SCALES == 2
        [[unroll]] for (uint column = 0; column < LANE_OUTPUTS; column++) {
            uint lane = column * SUBGROUP + own_lane;
            scaling[column * 2] = scaling_of(scale_start, slice * 2, group_count, lane);
            scaling[column * 2 + 1] = scaling_of(scale_start, slice * 2 + 1, group_count, lane);
        }
#else
        if (left == 0) {
            [[unroll]] for (uint column = 0; column < LANE_OUTPUTS; column++) {
                scaling[column] = scaling_of(scale_start, group, group_count, column * SUBGROUP + own_lane);
            }
            group += 1;
            left = group_slices;
        }
        left -= 1;
#endif
#ifdef GRID
        uint extras[LANE_OUTPUTS];
        [[unroll]] for (uint column = 0; column < LANE_OUTPUTS; column++) {
            extras[column] = extra_of(scale_start, slice, column * SUBGROUP + own_lane);
        }
#endif
        uint words[LANE_OUTPUTS * BITS];
        [[unroll]] for (uint column = 0; column < LANE_OUTPUTS; column++) {
            LOAD_SLICE(words, column * BITS, tile + slice * UNITS * TILE + column * SUBGROUP)
        }
        STEP(0) STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6) STEP(7)
    }
    uint first_column = OUTPUT_TILE * TILE + own_lane;
    [[unroll]] for (uint column = 0; column < LANE_OUTPUTS; column++) {
        [[unroll]] for (uint row = 0; row < ROWS; row++) {
            write_result(first_row + row, first_column + column * SUBGROUP, sums[row * LANE_OUTPUTS + column]);
        }
    }
}
