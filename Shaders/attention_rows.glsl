// What an attention workgroup works on: ROWS query heads (QUERIES rows of one sequence, HEADS heads that read the same
// keys and values), GROUP positions of the context at a time.

layout(local_size_x = GROUP) in;

#define ROWS (QUERIES * HEADS)
#define UNITS (HEAD_SIZE / UNIT)

// Where the sums of one partition wait for the others: largest score, sum, and the values.
#define STATE_SIZE (HEAD_SIZE + 2)

// Weights of the tile's positions, `[ROWS, GROUP]`; before that, scores on their way to the largest.
shared float weights_of[ROWS * GROUP];
// The largest score of each row in this partition before the tile, and with it.
shared float largest_of[ROWS];
shared float tile_largest[ROWS];
