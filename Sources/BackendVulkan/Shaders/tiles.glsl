// What the kernels of linear operations for many rows share: a workgroup has SIDE rows by SIDE columns, an invocation
// four by four, with its columns 16 apart.

#define SIDE 64

layout(local_size_x = 256) in;

// Writes the sums of rows from `own_row` on.
void write_sums(float sums[16], uint own_row, uint own_column) {
    for (uint index = 0; index < 16; index++) {
        write_result(
            gl_WorkGroupID.y * SIDE + own_row + index / 4, gl_WorkGroupID.x * SIDE + own_column + index % 4 * 16,
            sums[index]);
    }
}
