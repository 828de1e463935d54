// A packed linear operation for up to ROWS rows, as `linear_columns` does a dense one: an invocation has one column of
// the output, unpacks its weights once for all rows, and sums in the order of the input. SPLITS invocations share a
// column's sum through shared memory; their parts are added in order.

layout(local_size_x = TILE, local_size_y = SPLITS) in;

layout(set = 0, binding = 1) readonly buffer Quanta { UNIT_TYPE quanta[]; };

#if SPLITS > 1
shared float parts[ROWS][SPLITS][TILE];
#endif

void add_products(vec4 left, vec4 right, inout float sum) {
    precise float total = sum;
    total = fma(left.x, right.x, total);
    total = fma(left.y, right.y, total);
    total = fma(left.z, right.z, total);
    total = fma(left.w, right.w, total);
    sum = total;
}

#define STEP(piece) { \
    precise vec4 weight = PIECE(words, 0, piece, scaling[piece * SCALES / PIECES]); \
    [[unroll]] for (uint row = 0; row < ROWS; row++) { \
        add_products(weight, source[rows[row] + slice * PIECES + piece], sums[row]); \
    } \
}

// Where the input ends inside of a slice, what follows it is not zero but unknown, or not there.
#define LAST_STEP(piece) { \
    precise vec4 weight = PIECE(words, 0, piece, scaling[piece * SCALES / PIECES]); \
    uvec4 place = slice * SLICE + piece * 4 + uvec4(0, 1, 2, 3); \
    [[unroll]] for (uint row = 0; row < ROWS; row++) { \
        vec4 numbers = source[rows[row] + min(slice * PIECES + piece, (input_size - 1) / 4)]; \
        add_products(weight, mix(vec4(0), numbers, lessThan(place, uvec4(input_size))), sums[row]); \
    } \
}

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint split = gl_LocalInvocationID.y;
    uint slice_count = (input_size + SLICE - 1) / SLICE;
    uint per_split = (slice_count + SPLITS - 1) / SPLITS;
    uint first = min(split * per_split, slice_count);
    uint last = min(first + per_split, slice_count);
    uint tile = gl_WorkGroupID.x * slice_count * UNITS * TILE + lane;
    uint scale_start = gl_WorkGroupID.x * scale_stride(group_count);
    uint first_row = gl_WorkGroupID.y * ROWS;

    uint rows[ROWS];
    float sums[ROWS];
    [[unroll]] for (uint row = 0; row < ROWS; row++) {
        // Past the end, the last row once more: its result is dropped.
        rows[row] = min(first_row + row, row_count - 1) * input_stride + input_column;
        sums[row] = 0;
    }
    vec2 scaling[SCALES];
    uint group = first / group_slices;
    uint left = 0;
    for (uint slice = first; slice < last; slice++) {
#if SCALES == 2
        scaling[0] = scaling_of(scale_start, slice * 2, group_count, lane);
        scaling[1] = scaling_of(scale_start, slice * 2 + 1, group_count, lane);
#else
        if (left == 0) {
            scaling[0] = scaling_of(scale_start, group, group_count, lane);
            group += 1;
            left = slice == first ? group_slices - first % group_slices : group_slices;
        }
        left -= 1;
#endif
        uint words[BITS];
        LOAD_SLICE(words, 0, tile + slice * UNITS * TILE)
        if ((slice + 1) * SLICE <= input_size) {
            STEP(0) STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6) STEP(7)
        } else {
            LAST_STEP(0) LAST_STEP(1) LAST_STEP(2) LAST_STEP(3) LAST_STEP(4) LAST_STEP(5) LAST_STEP(6) LAST_STEP(7)
        }
    }
#if SPLITS > 1
    [[unroll]] for (uint row = 0; row < ROWS; row++) parts[row][split][lane] = sums[row];
    barrier();
    if (split != 0) return;
    [[unroll]] for (uint row = 0; row < ROWS; row++) {
        precise float sum = parts[row][0][lane];
        for (uint index = 1; index < SPLITS; index++) sum += parts[row][index][lane];
        sums[row] = sum;
    }
#endif
    uint column = gl_WorkGroupID.x * TILE + lane;
    if (column >= output_size) return;
    float offset = has_bias != 0 ? bias[bias_offset + column] : 0.0;
    [[unroll]] for (uint row = 0; row < ROWS; row++) {
        if (first_row + row >= row_count) return;
        result[(first_row + row) * output_stride + output_column + column] = sums[row] + offset;
    }
}
