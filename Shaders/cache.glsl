// Cached keys and values: slots of heads of HEAD_SIZE numbers, read UNIT numbers at a time.

#if CACHE_BITS == 32
#if UNIT == 4
#define CACHE_WORDS uvec4
#define FROM_CACHE(words) uintBitsToFloat(words)
#else
#define CACHE_WORDS uvec2
#define FROM_CACHE(words) vec4(uintBitsToFloat(words), 0, 0)
#endif
#elif CACHE_IS_BFLOAT
#if UNIT == 4
#define CACHE_WORDS uvec2
#define FROM_CACHE(words) \
    vec4(low_bfloat16(words.x), high_bfloat16(words.x), low_bfloat16(words.y), high_bfloat16(words.y))
#else
#define CACHE_WORDS uint
#define FROM_CACHE(words) vec4(low_bfloat16(words), high_bfloat16(words), 0, 0)
#endif
#else
#if UNIT == 4
#define CACHE_WORDS uvec2
#define FROM_CACHE(words) vec4(unpackHalf2x16(words.x), unpackHalf2x16(words.y))
#else
#define CACHE_WORDS uint
#define FROM_CACHE(words) vec4(unpackHalf2x16(words), 0, 0)
#endif
#endif
