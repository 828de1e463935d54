// What the GEMM kernels share: a workgroup computes SIDE rows by SIDE outputs, an invocation four neighbouring rows by
// four outputs that are 16 apart, so that neighbouring invocations read neighbouring banks of shared memory.

#define SIDE 64

layout(local_size_x = 256) in;

// Where the workgroup's tiles of outputs have no weights in this buffer, it ends. It computes two of them.
#define BEGIN_SIDE BEGIN(has_weights(gl_WorkGroupID.x * 2) || has_weights(gl_WorkGroupID.x * 2 + 1))

// Writes the sums of four rows from `own_row` on and four outputs from `own_column` on.
void write_sums(float sums[16], uint own_row, uint own_column) {
    for (uint index = 0; index < 16; index++) {
        write_result(
            FIRST_ROW(SIDE) + own_row + index / 4, gl_WorkGroupID.x * SIDE + own_column + index % 4 * 16, sums[index]);
    }
}
