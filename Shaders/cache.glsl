// Cached keys and values: slots of heads of HEAD_SIZE numbers, read UNIT numbers at a time. A head takes HEAD_UNITS
// elements of its buffer, of which the numbers begin at FIRST_UNIT.
//
// `FROM_CACHE(words, base, unit)` reads a unit of the head whose numbers begin at element `base`. It is a macro because
// GLSL functions take no buffers.

#if CACHE_BITS == 8
// An f32 scale, then words of four int8 numbers, which it multiplies.
#define CACHE_WORDS uint
#define HEAD_UNITS ((HEAD_SIZE + 3) / 4 + 1)
#define FIRST_UNIT 1
#define FROM_CACHE(words, base, unit) \
    (numbers_of(words[(base) + (unit) * UNIT / 4], unit) * uintBitsToFloat(words[(base) - 1]))

vec4 numbers_of(uint word, uint unit) {
    int bytes = int(word);
#if UNIT == 4
    return vec4(
        bitfieldExtract(bytes, 0, 8), bitfieldExtract(bytes, 8, 8), bitfieldExtract(bytes, 16, 8),
        bitfieldExtract(bytes, 24, 8));
#else
    bytes >>= 16 * (unit % 2);
    return vec4(bitfieldExtract(bytes, 0, 8), bitfieldExtract(bytes, 8, 8), 0, 0);
#endif
}
#else
#define HEAD_UNITS UNITS
#define FIRST_UNIT 0
#define FROM_CACHE(words, base, unit) numbers_of(words[(base) + (unit)])

#if CACHE_BITS == 32
#if UNIT == 4
#define CACHE_WORDS uvec4
vec4 numbers_of(uvec4 words) { return uintBitsToFloat(words); }
#else
#define CACHE_WORDS uvec2
vec4 numbers_of(uvec2 words) { return vec4(uintBitsToFloat(words), 0, 0); }
#endif
#else
vec2 pair_of(uint word) {
#if CACHE_IS_BFLOAT
    return vec2(low_bfloat16(word), high_bfloat16(word));
#else
    return unpackHalf2x16(word);
#endif
}

#if UNIT == 4
#define CACHE_WORDS uvec2
vec4 numbers_of(uvec2 words) { return vec4(pair_of(words.x), pair_of(words.y)); }
#else
#define CACHE_WORDS uint
vec4 numbers_of(uint word) { return vec4(pair_of(word), 0, 0); }
#endif
#endif
#endif
