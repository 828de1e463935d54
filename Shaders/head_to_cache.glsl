// Heads go to their tokens' slots: two 16-bit numbers in a word, or four 8-bit numbers behind the scale of the head.

layout(set = 0, binding = TARGET_BINDING) writeonly buffer Target { uint target[]; };

// Where the heads of a token begin.
#define place_of(token) \
    ((slots[token] >> block_shift) * block_stride + (slots[token] & ((1u << block_shift) - 1)) * output_stride)

#if CACHE_BITS == 8
#define TO_SCALED_HEADS
#elif CACHE_BITS == 32
#define store_pair(token, index, first, second) \
    { uint offset = place_of(token) + (index); \
      target[offset] = floatBitsToUint(first); target[offset + 1] = floatBitsToUint(second); }
#elif CACHE_IS_BFLOAT
#define store_pair(token, index, first, second) \
    target[(place_of(token) + (index)) / 2] = to_bfloat16(first) | (to_bfloat16(second) << 16)
#else
#define store_pair(token, index, first, second) \
    target[(place_of(token) + (index)) / 2] = to_float16(first) | (to_float16(second) << 16)
#endif
