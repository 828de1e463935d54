// What both kernels of packed linear operations for few rows share: an invocation's slices and their scales.

// Where the quanta of the slices begin, and the part of the input that is this invocation's.
uint quanta_start, first_slice, last_slice;
// Where the input's rows begin. Past the end, the last row once more: its result is dropped.
uint rows[ROWS];
// Of the slice at hand, each column's.
vec2 scaling[COLUMNS * SCALES];
// The group whose scales are next, and slices that are left of the one before.
uint next_group, slices_left;

#ifdef DIGITS
#define USED_SCALING(scaling) byte_scaling(scaling)
#else
#define USED_SCALING(scaling) (scaling)
#endif

void begin() {
    uint slice_count = (input_size + SLICE - 1) / SLICE;
    uint per_split = (slice_count + SPLITS - 1) / SPLITS;
    quanta_start = gl_WorkGroupID.x * slice_count * UNITS * TILE + gl_LocalInvocationID.x;
    first_slice = min(gl_LocalInvocationID.y * per_split, slice_count);
    last_slice = min(first_slice + per_split, slice_count);
    next_group = first_slice / group_slices;
    slices_left = 0;
    [[unroll]] for (uint row = 0; row < ROWS; row++) {
        rows[row] = min(gl_WorkGroupID.y * ROWS + row, row_count - 1) * input_stride + input_offset;
    }
}

// The scales of slice `slice`, which is the first or follows the last one.
void load_scaling(uint slice) {
    uint start = gl_WorkGroupID.x * scale_stride(group_count);
#if SCALES == 2
    [[unroll]] for (uint index = 0; index < COLUMNS * 2; index++) {
        scaling[index] = USED_SCALING(
            scaling_of(start, slice * 2 + index % 2, group_count, gl_LocalInvocationID.x + index / 2 * WIDTH));
    }
#else
    if (slices_left > 0) {
        slices_left -= 1;
        return;
    }
    uint group = next_group;
    next_group += 1;
    slices_left = next_group * group_slices - slice - 1;
    [[unroll]] for (uint column = 0; column < COLUMNS; column++) {
        scaling[column] = USED_SCALING(
            scaling_of(start, group, group_count, gl_LocalInvocationID.x + column * WIDTH));
    }
#endif
}
