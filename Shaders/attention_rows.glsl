// What an attention workgroup works on: ROWS query heads (QUERIES rows of one sequence, HEADS heads that read the same
// keys and values), TILE positions of the context at a time.

layout(local_size_x = GROUP) in;

#define ROWS (QUERIES * HEADS)
#define UNITS (HEAD_SIZE / UNIT)

// The scores of a tile: an invocation has those of one position, for SCORE_ROWS of the rows.
#define SCORE_PARTS (GROUP / TILE)
#define SCORE_ROWS ((ROWS + SCORE_PARTS - 1) / SCORE_PARTS)

// Numbers of a state, which a partition leaves for the reduction: largest score, sum of weights, sums of values.
#define STATE_SIZE (HEAD_SIZE + 2)

// Weights of the tile's positions, `[ROWS, TILE]`; before that, scores on their way to the largest.
shared float weights_of[ROWS * TILE];
// The largest score of each row in this partition: before the tile, and including it.
shared float largest_of[ROWS];
shared float tile_largest[ROWS];
