// The largest score of each row over the workgroup's invocations, through shared memory: into `tile_largest`.

void find_largest(float row_scores[ROWS], uint lane) {
    [[unroll]] for (uint row = 0; row < ROWS; row++) weights_of[row * GROUP + lane] = row_scores[row];
    barrier();
    for (uint row = lane; row < ROWS; row += GROUP) {
        float found = NOTHING;
        for (uint index = 0; index < GROUP; index++) found = max(found, weights_of[row * GROUP + index]);
        tile_largest[row] = max(found, largest_of[row]);
    }
    barrier();
}
