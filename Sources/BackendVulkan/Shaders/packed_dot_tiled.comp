// A packed linear operation for many rows of digits: a workgroup has 64 rows by 64 columns and goes through the input a
// slice at a time, as bytes in shared memory. An invocation sums four by four outputs, in the order and in the SPLITS
// parts of `packed_dot_columns`, so that a row's result is the same bits by either.

layout(set = 0, binding = CODES_BINDING) readonly buffer Quanta { uint quanta[]; };

shared uint weight_bytes[WORDS][SIDE];
shared vec2 scales_of_columns[SCALES][SIDE];
shared uint input_digits[WORDS * DIGITS][SIDE];
shared vec4 heads[SIDE];

// Stream word `index` of a row whose slice begins at `place`.
uint stream_word(uint place, uint index) {
    return quanta[place + index / UNIT * UNIT * TILE + index % UNIT];
}

void load_weights(uint slice, uint slice_count) {
    uint column = gl_LocalInvocationIndex % SIDE;
    uint lane = column % TILE;
    uint tile = gl_WorkGroupID.x * 2 + column / TILE;
    bool is_there = tile * TILE < output_size;
    uint place = (tile * slice_count + slice) * BITS * TILE + lane * UNIT;
    for (uint word = gl_LocalInvocationIndex / SIDE; word < WORDS; word += 4) {
        weight_bytes[word][column] = !is_there ? 0 : byte_word(
            stream_word(place, STREAM_WORD(word)), stream_word(place, min(STREAM_WORD(word) + 1, BITS - 1)), word);
    }
    uint part = gl_LocalInvocationIndex / SIDE;
    if (part < SCALES) {
        uint group = SCALES == 2 ? slice * 2 + part : slice / group_slices;
        scales_of_columns[part][column] = !is_there ? vec2(0) : byte_scaling(
            scaling_of(tile * scale_stride(group_count), group, group_count, lane));
    }
}

void load_input(uint slice) {
    uint row = gl_LocalInvocationIndex % SIDE;
    // Past the end, the last row once more: its result is dropped.
    uint record = min(gl_WorkGroupID.y * SIDE + row, row_count - 1) * input_stride + input_offset + slice * RECORD;
    for (uint part = gl_LocalInvocationIndex / SIDE; part < RECORD; part += 4) {
        uvec4 loaded = source[record + part];
        if (part == 2 * DIGITS) {
            heads[row] = uintBitsToFloat(loaded);
        } else {
            for (uint word = 0; word < 4; word++) input_digits[part * 4 + word][row] = loaded[word];
        }
    }
}

void main() {
    uint own_column = gl_LocalInvocationIndex % 16;
    uint own_row = gl_LocalInvocationIndex / 16 * 4;
    uint slice_count = (input_size + SLICE - 1) / SLICE;
    uint per_split = (slice_count + SPLITS - 1) / SPLITS;
    float totals[16];
    for (uint index = 0; index < 16; index++) totals[index] = 0;
    for (uint split = 0; split < SPLITS; split++) {
        uint last = min((split + 1) * per_split, slice_count);
        float sums[16];
        for (uint index = 0; index < 16; index++) sums[index] = 0;
        for (uint slice = split * per_split; slice < last; slice++) {
            load_weights(slice, slice_count);
            load_input(slice);
            barrier();
            [[unroll]] for (uint row = 0; row < 4; row++) {
                uint digits[WORDS * DIGITS];
                [[unroll]] for (uint word = 0; word < WORDS * DIGITS; word++) {
                    digits[word] = input_digits[word][own_row + row];
                }
                vec4 head = heads[own_row + row];
                [[unroll]] for (uint index = 0; index < 4; index++) {
                    uint column = own_column + index * 16;
                    int left[DIGITS];
                    int right[DIGITS];
                    [[unroll]] for (uint digit = 0; digit < DIGITS; digit++) {
                        left[digit] = 0;
                        right[digit] = 0;
                        [[unroll]] for (uint word = 0; word < WORDS / 2; word++) {
                            left[digit] += DOT(weight_bytes[word][column], digits[digit * WORDS + word]);
                            right[digit] += DOT(
                                weight_bytes[WORDS / 2 + word][column], digits[digit * WORDS + WORDS / 2 + word]);
                        }
                    }
                    float sum = sums[row * 4 + index];
#if SCALES == 2
                    sum = add_slice(sum, left, scales_of_columns[0][column], head.x, head.y);
                    sum = add_slice(sum, right, scales_of_columns[1][column], head.x, head.z);
#else
                    [[unroll]] for (uint digit = 0; digit < DIGITS; digit++) left[digit] += right[digit];
                    sum = add_slice(sum, left, scales_of_columns[0][column], head.x, head.w);
#endif
                    sums[row * 4 + index] = sum;
                }
            }
            barrier();
        }
        for (uint index = 0; index < 16; index++) {
            precise float total = split == 0 ? sums[index] : totals[index] + sums[index];
            totals[index] = total;
        }
    }
    write_sums(totals, own_row, own_column);
}
