// output = input · weightsᵀ + bias for up to ROWS rows: an invocation has one column of the output, reads its weights
// once for all rows, and sums in the order of the input. SPLITS invocations share a column's sum; their parts are added
// in order. So a row's result depends neither on ROWS nor on the other rows.

layout(local_size_x = TILE, local_size_y = SPLITS) in;

layout(set = 0, binding = 0) readonly buffer Input { vec4 source[]; };
layout(set = 0, binding = 1) readonly buffer Weights { uvec4 weights[]; };
layout(set = 0, binding = 2) readonly buffer Bias { float bias[]; };
layout(set = 0, binding = 3) writeonly buffer Output { float result[]; };

layout(push_constant) uniform Constants {
    uint row_count;
    uint input_size;
    uint output_size;
    uint input_stride;   // In vec4.
    uint input_column;   // In vec4.
    uint output_stride;
    uint output_column;
    uint has_bias;
    uint bias_offset;
};

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

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint split = gl_LocalInvocationID.y;
    uint chunk_count = (input_size + CHUNK - 1) / CHUNK;
    uint per_split = (chunk_count + SPLITS - 1) / SPLITS;
    uint first = split * per_split;
    uint last = min(first + per_split, chunk_count);
    // Where the input ends inside of a chunk, what follows it is not zero but unknown.
    uint whole = min(last, input_size / CHUNK);
    uint tile = gl_WorkGroupID.x * chunk_count * TILE + lane;
    uint first_row = gl_WorkGroupID.y * ROWS;

    uint rows[ROWS];
    float sums[ROWS];
    [[unroll]] for (uint row = 0; row < ROWS; row++) {
        // Past the end, the last row once more: its result is dropped.
        rows[row] = min(first_row + row, row_count - 1) * input_stride + input_column;
        sums[row] = 0;
    }
    for (uint chunk = first; chunk < whole; chunk++) {
        uvec4 words = weights[tile + chunk * TILE];
        vec4 low, high;
        UNPACK(words, low, high);
        [[unroll]] for (uint row = 0; row < ROWS; row++) {
            add_products(low, source[rows[row] + chunk * (CHUNK / 4)], sums[row]);
#if CHUNK == 8
            add_products(high, source[rows[row] + chunk * 2 + 1], sums[row]);
#endif
        }
    }
    if (first <= whole && whole < last) {
        uvec4 words = weights[tile + whole * TILE];
        vec4 low, high;
        UNPACK(words, low, high);
        uvec4 place = whole * CHUNK + uvec4(0, 1, 2, 3);
        [[unroll]] for (uint row = 0; row < ROWS; row++) {
            vec4 numbers = source[rows[row] + whole * (CHUNK / 4)];
            add_products(low, mix(vec4(0), numbers, lessThan(place, uvec4(input_size))), sums[row]);
#if CHUNK == 8
            numbers = source[rows[row] + whole * 2 + 1];
            add_products(high, mix(vec4(0), numbers, lessThan(place + 4, uvec4(input_size))), sums[row]);
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
