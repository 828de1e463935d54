// A GEMM on quantized weights and quantized activations: a workgroup computes 64 rows by 64 outputs and goes through
// the input a slice at a time, as bytes in shared memory. An invocation sums four rows by four outputs, in the order
// and in the SPLIT_K parts of `gemv_integer.comp`, so that both compute the same bits.

layout(set = 0, binding = CODES_BINDING) readonly buffer Codes { uint codes[]; };

shared uint weight_bytes[WORDS][SIDE];
shared vec2 scales_of_columns[SCALES][SIDE];
shared uint input_limbs[WORDS * LIMBS][SIDE];
shared vec4 heads[SIDE];

void load_weights(uint slice, uint slice_count) {
    uint column = gl_LocalInvocationIndex % SIDE;
    uint lane = column % TILE;
    uint tile = gl_WorkGroupID.x * 2 + column / TILE;
    bool is_there = has_weights(tile);
    uint start = (WEIGHT_TILE(tile) * slice_count + slice) * BITS * TILE + lane * UNIT;
    uint scales_start = scales_of_tile(WEIGHT_TILE(tile), group_count);
#ifdef GRID
    uint extra = is_there ? extra_of(scales_start, slice, lane) : 0;
#endif
    for (uint word = gl_LocalInvocationIndex / SIDE; word < WORDS; word += 4) {
#ifdef GRID
        weight_bytes[word][column] = !is_there ? 0 : grid_values(
            CODES_WORD(start, INDEX_WORD(word)), CODES_WORD(start, SIGN_WORD), extra, word);
#else
        weight_bytes[word][column] = !is_there ? 0 : byte_word(
            CODES_WORD(start, STREAM_WORD(word)), CODES_WORD(start, min(STREAM_WORD(word) + 1, BITS - 1)), word);
#endif
    }
    uint part = gl_LocalInvocationIndex / SIDE;
    if (part < SCALES) {
        uint group = SCALES == 2 ? slice * 2 + part : slice / group_slices;
        scales_of_columns[part][column] = !is_there ? vec2(0) : byte_scaling(
            scaling_of(scales_start, group, group_count, lane));
    }
}

// `start`: where the row begins that this invocation loads.
void load_input(uint start, uint slice) {
    uint row = gl_LocalInvocationIndex % SIDE;
    uint record = start + slice * RECORD;
    for (uint part = gl_LocalInvocationIndex / SIDE; part < RECORD; part += 4) {
        uvec4 loaded = source[record + part];
        if (part == 2 * LIMBS) {
            heads[row] = uintBitsToFloat(loaded);
        } else {
            for (uint word = 0; word < 4; word++) input_limbs[part * 4 + word][row] = loaded[word];
        }
    }
}

void main() {
    BEGIN_SIDE
    uint own_column = gl_LocalInvocationIndex % 16;
    uint own_row = gl_LocalInvocationIndex / 16 * 4;
    // Without a row of its own, an invocation only helps to load.
    bool has_own_row = FIRST_ROW(SIDE) + own_row < ROW_COUNT;
    // Past the end, the last row once more: its result is dropped.
    uint loaded_row = input_start(min(FIRST_ROW(SIDE) + gl_LocalInvocationIndex % SIDE, ROW_COUNT - 1));
    uint slice_count = (input_size + SLICE - 1) / SLICE;
    uint per_split = (slice_count + SPLIT_K - 1) / SPLIT_K;
    float totals[16];
    for (uint index = 0; index < 16; index++) totals[index] = 0;
    for (uint split = 0; split < SPLIT_K; split++) {
        uint last = min((split + 1) * per_split, slice_count);
        float sums[16];
        for (uint index = 0; index < 16; index++) sums[index] = 0;
        for (uint slice = split * per_split; slice < last; slice++) {
            load_weights(slice, slice_count);
            load_input(loaded_row, slice);
            // The tile is complete.
            barrier();
            [[unroll]] for (uint row = 0; row < 4; row++) {
                if (!has_own_row) continue;
                uint limbs[WORDS * LIMBS];
                [[unroll]] for (uint word = 0; word < WORDS * LIMBS; word++) {
                    limbs[word] = input_limbs[word][own_row + row];
                }
                vec4 head = heads[own_row + row];
                [[unroll]] for (uint index = 0; index < 4; index++) {
                    uint column = own_column + index * 16;
                    int left[LIMBS];
                    int right[LIMBS];
                    [[unroll]] for (uint limb = 0; limb < LIMBS; limb++) {
                        left[limb] = 0;
                        right[limb] = 0;
                        [[unroll]] for (uint word = 0; word < WORDS / 2; word++) {
                            left[limb] += DOT(weight_bytes[word][column], limbs[limb * WORDS + word]);
                            right[limb] += DOT(
                                weight_bytes[WORDS / 2 + word][column], limbs[limb * WORDS + WORDS / 2 + word]);
                        }
                    }
                    float sum = sums[row * 4 + index];
#if SCALES == 2
                    sum = add_slice(sum, left, scales_of_columns[0][column], head.x, head.y);
                    sum = add_slice(sum, right, scales_of_columns[1][column], head.x, head.z);
#else
                    [[unroll]] for (uint limb = 0; limb < LIMBS; limb++) left[limb] += right[limb];
                    sum = add_slice(sum, left, scales_of_columns[0][column], head.x, head.w);
#endif
                    sums[row * 4 + index] = sum;
                }
            }
            // The next slice overwrites it.
            barrier();
        }
        for (uint index = 0; index < 16; index++) {
            precise float total = split == 0 ? sums[index] : totals[index] + sums[index];
            totals[index] = total;
        }
    }
    write_sums(totals, own_row, own_column);
}
