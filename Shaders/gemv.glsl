// What the GEMV kernels share. A workgroup computes a tile of TILE outputs for ROWS rows, an invocation OUTPUTS of
// these, LANES apart. SPLIT_K invocations share the sum of an output, each with a part of the input, and the parts are
// added in order. So a row's result depends on SPLIT_K, but not on OUTPUTS, on ROWS or on other rows.

#define LANES (TILE / OUTPUTS)

layout(local_size_x = LANES, local_size_y = SPLIT_K) in;

#if SPLIT_K > 1
// Partial sums of PARTIAL_ROWS rows at a time: as many as fit shared memory.
shared float parts[PARTIAL_ROWS * SPLIT_K * TILE];
#endif

// Adds four products, in order.
void add_products(vec4 left, vec4 right, inout float sum) {
    precise float total = sum;
    total = fma(left.x, right.x, total);
    total = fma(left.y, right.y, total);
    total = fma(left.z, right.z, total);
    total = fma(left.w, right.w, total);
    sum = total;
}

// Adds the parts of the workgroup's sums and writes them. All invocations must call it, as it has barriers.
void write_sums(float sums[ROWS * OUTPUTS]) {
    uint first_row = FIRST_ROW(ROWS);
    uint lane = gl_LocalInvocationID.x;
    uint first_column = OUTPUT_TILE * TILE;
#if SPLIT_K > 1
    [[unroll]] for (uint start = 0; start < ROWS; start += PARTIAL_ROWS) {
        [[unroll]] for (uint index = 0; index < PARTIAL_ROWS * OUTPUTS; index++) {
            uint offset = (index / OUTPUTS * SPLIT_K + gl_LocalInvocationID.y) * TILE;
            parts[offset + lane + index % OUTPUTS * LANES] = sums[start * OUTPUTS + index];
        }
        barrier();
        for (uint index = gl_LocalInvocationIndex; index < PARTIAL_ROWS * TILE; index += LANES * SPLIT_K) {
            uint offset = index / TILE * SPLIT_K * TILE + index % TILE;
            precise float sum = parts[offset];
            [[unroll]] for (uint split = 1; split < SPLIT_K; split++) sum += parts[offset + split * TILE];
            write_result(first_row + start + index / TILE, first_column + index % TILE, sum);
        }
        // The next rows overwrite the parts.
        if (start + PARTIAL_ROWS < ROWS) barrier();
    }
#else
    [[unroll]] for (uint index = 0; index < ROWS * OUTPUTS; index++) {
        write_result(first_row + index / OUTPUTS, first_column + lane + index % OUTPUTS * LANES, sums[index]);
    }
#endif
}
