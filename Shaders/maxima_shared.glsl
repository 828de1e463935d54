// Writes the largest score of each row so far into `tile_largest`, through shared memory. `scores` are those of rows
// from `score_row` on. Ends with a barrier.

void find_largest(float scores[SCORE_ROWS], uint score_row, uint lane) {
    [[unroll]] for (uint index = 0; index < SCORE_ROWS; index++) {
        if (score_row + index < ROWS) weights_of[(score_row + index) * TILE + lane % TILE] = scores[index];
    }
    barrier();
    for (uint row = lane; row < ROWS; row += GROUP) {
        float found = LOWEST_SCORE;
        for (uint index = 0; index < TILE; index++) found = max(found, weights_of[row * TILE + index]);
        tile_largest[row] = max(found, largest_of[row]);
    }
    barrier();
}
