// The largest score of each row over the workgroup's invocations, by subgroup arithmetic: into `tile_largest`.

void find_largest(float row_scores[ROWS], uint lane) {
    [[unroll]] for (uint row = 0; row < ROWS; row++) {
        float found = subgroupMax(row_scores[row]);
        if (subgroupElect()) weights_of[row * GROUP + gl_SubgroupID] = found;
    }
    barrier();
    for (uint row = lane; row < ROWS; row += GROUP) {
        float found = largest_of[row];
        for (uint index = 0; index < gl_NumSubgroups; index++) found = max(found, weights_of[row * GROUP + index]);
        tile_largest[row] = found;
    }
    barrier();
}
