// Quantized activations, for devices with dot products of four signed bytes (`gemv_integer.comp`).
//
// The numbers of a slice are integers times one scale. An integer has LIMBS limbs: signed bytes, the most significant
// first, each worth 128 of the next. A slice of a row is a record of RECORD uvec4: for each limb 8 words of 4 numbers,
// then the scale, the sums of both halves of the slice and the sum of all of it. Numbers lie in the order in which a
// kernel unpacks the codes of weights into bytes: those of 2 and 4 bits are interleaved, INTERLEAVE apart, so that one
// AND unpacks four of them.

#define SLICE 32
#define RECORD (2 * LIMBS + 1)
#define LIMB_BITS 7
#define LARGEST float(127 << (LIMB_BITS * (LIMBS - 1)))
