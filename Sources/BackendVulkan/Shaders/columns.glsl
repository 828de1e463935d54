// What the kernels of linear operations for few rows share. A workgroup has a tile of the output's columns, an
// invocation COLUMNS of these, WIDTH apart. SPLITS invocations share a column's sum, each with a part of the input; the
// parts are added in order. So a row's result depends on SPLITS, but neither on COLUMNS nor on ROWS nor on other rows.

#define WIDTH (TILE / COLUMNS)

layout(local_size_x = WIDTH, local_size_y = SPLITS) in;

#if SPLITS > 1
// Of PART_ROWS rows at a time.
shared float parts[PART_ROWS * SPLITS * TILE];
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

// Writes the sums of the workgroup's rows, row after row.
void write_sums(float sums[ROWS * COLUMNS]) {
    uint first_row = gl_WorkGroupID.y * ROWS;
    uint lane = gl_LocalInvocationID.x;
    uint first_column = gl_WorkGroupID.x * TILE;
#if SPLITS > 1
    [[unroll]] for (uint start = 0; start < ROWS; start += PART_ROWS) {
        [[unroll]] for (uint index = 0; index < PART_ROWS * COLUMNS; index++) {
            uint place = (index / COLUMNS * SPLITS + gl_LocalInvocationID.y) * TILE;
            parts[place + lane + index % COLUMNS * WIDTH] = sums[start * COLUMNS + index];
        }
        barrier();
        for (uint index = gl_LocalInvocationIndex; index < PART_ROWS * TILE; index += WIDTH * SPLITS) {
            uint place = index / TILE * SPLITS * TILE + index % TILE;
            precise float sum = parts[place];
            [[unroll]] for (uint split = 1; split < SPLITS; split++) sum += parts[place + split * TILE];
            write_result(first_row + start + index / TILE, first_column + index % TILE, sum);
        }
        if (start + PART_ROWS < ROWS) barrier();
    }
#else
    [[unroll]] for (uint index = 0; index < ROWS * COLUMNS; index++) {
        write_result(first_row + index / COLUMNS, first_column + lane + index % COLUMNS * WIDTH, sums[index]);
    }
#endif
}
