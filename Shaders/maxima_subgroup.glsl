// Writes the largest score of each row so far into `tile_largest`, with subgroup arithmetic. `scores` are those of rows
// from `score_row` on, which are the same rows for all invocations of a subgroup. Ends with a barrier.

void find_largest(float scores[SCORE_ROWS], uint score_row, uint lane) {
    uint count = gl_NumSubgroups / SCORE_PARTS;
    [[unroll]] for (uint index = 0; index < SCORE_ROWS; index++) {
        float found = subgroupMax(scores[index]);
        if (subgroupElect() && score_row + index < ROWS) {
            weights_of[(score_row + index) * TILE + gl_SubgroupID % count] = found;
        }
    }
    barrier();
    for (uint row = lane; row < ROWS; row += GROUP) {
        float found = largest_of[row];
        for (uint index = 0; index < count; index++) found = max(found, weights_of[row * TILE + index]);
        tile_largest[row] = found;
    }
    barrier();
}
