// Heads go to their tokens' slots: two 16-bit numbers in a word, or four 8-bit numbers behind the scale of the head.

layout(set = 0, binding = TARGET_BINDING) writeonly buffer Target { uint target[]; };

#if CACHE_BITS == 8
#define TO_SCALED_HEADS
#elif CACHE_BITS == 32
#define store_pair(token, index, first, second) \
    { uint offset = slots[token] * output_stride + (index); \
      target[offset] = floatBitsToUint(first); target[offset + 1] = floatBitsToUint(second); }
#elif CACHE_IS_BFLOAT
#define store_pair(token, index, first, second) \
    target[(slots[token] * output_stride + (index)) / 2] = to_bfloat16(first) | (to_bfloat16(second) << 16)
#else
#define store_pair(token, index, first, second) \
    target[(slots[token] * output_stride + (index)) / 2] = to_float16(first) | (to_float16(second) << 16)
#endif
