// Cached keys and values: slots of heads of HEAD_SIZE numbers, read UNIT numbers at a time. A head takes HEAD_UNITS
// places of its buffer, of which the numbers begin at FIRST_UNIT.

#if CACHE_BITS == 8
// A scale, and words of four numbers over it.
#define CACHE_WORDS uint
#define HEAD_UNITS ((HEAD_SIZE + 3) / 4 + 1)
#define FIRST_UNIT 1
#if UNIT == 4
#define FROM_CACHE(words, base, unit) \
    vec4( \
        bitfieldExtract(int(words[(base) + (unit)]), 0, 8), bitfieldExtract(int(words[(base) + (unit)]), 8, 8), \
        bitfieldExtract(int(words[(base) + (unit)]), 16, 8), bitfieldExtract(int(words[(base) + (unit)]), 24, 8)) \
        * uintBitsToFloat(words[(base) - 1])
#else
#define HALF_OF(word, unit) int((word) >> (16 * ((unit) % 2)))
#define FROM_CACHE(words, base, unit) \
    vec4( \
        bitfieldExtract(HALF_OF(words[(base) + (unit) / 2], unit), 0, 8), \
        bitfieldExtract(HALF_OF(words[(base) + (unit) / 2], unit), 8, 8), 0, 0) \
        * uintBitsToFloat(words[(base) - 1])
#endif
#else
#define HEAD_UNITS UNITS
#define FIRST_UNIT 0
#define FROM_CACHE(words, base, unit) NUMBERS_OF(words[(base) + (unit)])
#if CACHE_BITS == 32
#if UNIT == 4
#define CACHE_WORDS uvec4
#define NUMBERS_OF(words) uintBitsToFloat(words)
#else
#define CACHE_WORDS uvec2
#define NUMBERS_OF(words) vec4(uintBitsToFloat(words), 0, 0)
#endif
#elif CACHE_IS_BFLOAT
#if UNIT == 4
#define CACHE_WORDS uvec2
#define NUMBERS_OF(words) \
    vec4(low_bfloat16(words.x), high_bfloat16(words.x), low_bfloat16(words.y), high_bfloat16(words.y))
#else
#define CACHE_WORDS uint
#define NUMBERS_OF(words) vec4(low_bfloat16(words), high_bfloat16(words), 0, 0)
#endif
#else
#if UNIT == 4
#define CACHE_WORDS uvec2
#define NUMBERS_OF(words) vec4(unpackHalf2x16(words.x), unpackHalf2x16(words.y))
#else
#define CACHE_WORDS uint
#define NUMBERS_OF(words) vec4(unpackHalf2x16(words), 0, 0)
#endif
#endif
#endif
