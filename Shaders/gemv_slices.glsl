// What the GEMV kernels on quantized weights share: an invocation's slices and their scales.

// The element at which the codes begin, and the slices of this invocation's part of the input.
uint codes_start, first_slice, last_slice;
// The elements at which the input's rows begin. Past the end, the last row once more: its result is dropped.
uint rows[ROWS];
// Scales and offsets of the current slice, for each output.
vec2 scaling[OUTPUTS * SCALES];
#ifdef GRID
// Of the current slice (`extra_of`), for each output.
uint extras[OUTPUTS];
#endif
// The next group, and how many slices of the current group are left.
uint next_group, slices_left;

#ifdef LIMBS
#define USED_SCALING(scaling) byte_scaling(scaling)
#else
#define USED_SCALING(scaling) (scaling)
#endif

void begin() {
    uint slice_count = (input_size + SLICE - 1) / SLICE;
    uint per_split = (slice_count + SPLIT_K - 1) / SPLIT_K;
    codes_start = WEIGHT_TILE(OUTPUT_TILE) * slice_count * UNITS * TILE + gl_LocalInvocationID.x;
    first_slice = min(gl_LocalInvocationID.y * per_split, slice_count);
    last_slice = min(first_slice + per_split, slice_count);
    next_group = first_slice / group_slices;
    slices_left = 0;
    [[unroll]] for (uint row = 0; row < ROWS; row++) {
        rows[row] = input_start(min(FIRST_ROW(ROWS) + row, ROW_COUNT - 1));
    }
}

// Loads the scales of slice `slice`, which is the invocation's first or follows the slice of the call before.
void load_scaling(uint slice) {
    uint start = scales_of_tile(WEIGHT_TILE(OUTPUT_TILE), group_count);
#ifdef GRID
    [[unroll]] for (uint column = 0; column < OUTPUTS; column++) {
        extras[column] = extra_of(start, slice, gl_LocalInvocationID.x + column * LANES);
    }
#endif
#if SCALES == 2
    [[unroll]] for (uint index = 0; index < OUTPUTS * 2; index++) {
        scaling[index] = USED_SCALING(
            scaling_of(start, slice * 2 + index % 2, group_count, gl_LocalInvocationID.x + index / 2 * LANES));
    }
#else
    if (slices_left > 0) {
        slices_left -= 1;
        return;
    }
    uint group = next_group;
    next_group += 1;
    slices_left = next_group * group_slices - slice - 1;
    [[unroll]] for (uint column = 0; column < OUTPUTS; column++) {
        scaling[column] = USED_SCALING(
            scaling_of(start, group, group_count, gl_LocalInvocationID.x + column * LANES));
    }
#endif
}
