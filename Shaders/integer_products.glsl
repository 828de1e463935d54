// What kernels share that multiply quantized weights with quantized activations: a slice of a row of weights as words
// of four bytes, and how the integer sums of a slice become a part of the result. Integer sums are exact, so kernels
// may form them in any order.

spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6018, 6019], id = 4450)
int signed_dot(uint left, uint right, spirv_literal int format);

// The dot product of four signed bytes; 0 is the format "four bytes in a word".
#define DOT(left, right) signed_dot(left, right, 0)

// Words of a slice as bytes.
#define WORDS (SLICE / 4)

// The word of a slice's stream in which word `word` of bytes begins.
#define STREAM_WORD(word) ((word) * BITS / 8)

#ifndef GRID
// Word `word` of codes as bytes, given the stream's words `STREAM_WORD(word)` and the next.
uint code_word(uint low, uint high, uint word) {
#if BITS == 8
    return low;
#elif INTERLEAVE > 1
    return low >> (word % INTERLEAVE * BITS) & (MASK * 0x01010101u);
#else
    uint bit = word * BITS * 4 % 32;
    uint four = bit + BITS * 4 <= 32 ? low >> bit : low >> bit | high << (32 - bit);
    return (four & MASK) | (four & MASK << BITS) << (8 - BITS) | (four & MASK << 2 * BITS) << (16 - 2 * BITS)
        | (four & MASK << 3 * BITS) << (24 - 3 * BITS);
#endif
}

// The same as values. Those of eight bits are centred, as they would not fit signed bytes otherwise.
uint byte_word(uint low, uint high, uint word) {
#ifdef BOOK_0
    return byte_values(code_word(low, high, word));
#elif BITS == 8
    return low ^ 0x80808080u;
#else
    return code_word(low, high, word);
#endif
}

#endif

// The scale and offset for bytes, given those for codes.
vec2 byte_scaling(vec2 scaling) {
#if BITS == 8
    precise float offset = fma(scaling.x, 128.0, scaling.y);
    return vec2(scaling.x, offset);
#else
    return scaling;
#endif
}

// Adds a slice to `sum`: the dot products `sums` of each limb, and the sum of the input's numbers times the offset.
float add_slice(float sum, int sums[LIMBS], vec2 scaling, float input_scale, float input_sum) {
#if LIMBS == 1
    precise float products = float(sums[0]);
#elif LIMBS == 2
    precise float products = float((sums[0] << LIMB_BITS) + sums[1]);
#else
    // The first limb's part would overflow an integer.
    precise float products = fma(float(sums[0]), float(1 << 2 * LIMB_BITS), float((sums[1] << LIMB_BITS) + sums[2]));
#endif
    precise float scale = scaling.x * input_scale;
    precise float with_products = fma(scale, products, sum);
    precise float total = fma(scaling.y, input_sum, with_products);
    return total;
}
