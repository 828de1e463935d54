// A packed linear operation for up to ROWS rows of digits, as `packed_columns` does one of numbers: an invocation has one
// column of the output and sums slice by slice; SPLITS invocations share a column's sum.

layout(local_size_x = TILE, local_size_y = SPLITS) in;

layout(set = 0, binding = 1) readonly buffer Quanta { UNIT_TYPE quanta[]; };

#if SPLITS > 1
shared float parts[ROWS][SPLITS][TILE];
#endif

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
    for (uint slice = first; slice < last; slice++) {
        vec2 scaling[SCALES];
        [[unroll]] for (uint part = 0; part < SCALES; part++) {
            uint group = SCALES == 2 ? slice * 2 + part : slice / group_slices;
            scaling[part] = byte_scaling(scaling_of(scale_start, group, group_count, lane));
        }
        uint words[BITS];
        LOAD_SLICE(words, 0, tile + slice * UNITS * TILE)
        uint bytes[WORDS];
        [[unroll]] for (uint word = 0; word < WORDS; word++) {
            bytes[word] =
                byte_word(words[STREAM_WORD(word)], words[min(STREAM_WORD(word) + 1, BITS - 1)], word);
        }
        [[unroll]] for (uint row = 0; row < ROWS; row++) {
            uint record = rows[row] + slice * RECORD;
            int left[DIGITS];
            int right[DIGITS];
            [[unroll]] for (uint digit = 0; digit < DIGITS; digit++) {
                uvec4 numbers = source[record + digit * 2];
                left[digit] = DOT(bytes[0], numbers.x) + DOT(bytes[1], numbers.y) + DOT(bytes[2], numbers.z)
                    + DOT(bytes[3], numbers.w);
                numbers = source[record + digit * 2 + 1];
                right[digit] = DOT(bytes[4], numbers.x) + DOT(bytes[5], numbers.y) + DOT(bytes[6], numbers.z)
                    + DOT(bytes[7], numbers.w);
            }
            vec4 head = uintBitsToFloat(source[record + 2 * DIGITS]);
#if SCALES == 2
            sums[row] = add_slice(sums[row], left, scaling[0], head.x, head.y);
            sums[row] = add_slice(sums[row], right, scaling[1], head.x, head.z);
#else
            [[unroll]] for (uint digit = 0; digit < DIGITS; digit++) left[digit] += right[digit];
            sums[row] = add_slice(sums[row], left, scaling[0], head.x, head.w);
#endif
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
