// An unquantized weight matrix on the device (`DeviceMatrix`): tiles of TILE rows; in a tile, for each chunk of CHUNK
// inputs, one uvec4 of each row. As the rows of a tile lie side by side, the loads of neighbouring invocations are one
// wide load.

#define TILE 32

#if WEIGHT_BITS == 32
#define CHUNK 4
#else
#define CHUNK 8
#endif

#if WEIGHT_BITS == 32
#define UNPACK(words, low, high) low = uintBitsToFloat(words); high = vec4(0)
#elif WEIGHT_IS_BFLOAT
#define UNPACK(words, low, high) \
    low = vec4(low_bfloat16(words.x), high_bfloat16(words.x), low_bfloat16(words.y), high_bfloat16(words.y)); \
    high = vec4(low_bfloat16(words.z), high_bfloat16(words.z), low_bfloat16(words.w), high_bfloat16(words.w))
#else
#define UNPACK(words, low, high) \
    low = vec4(unpackHalf2x16(words.x), unpackHalf2x16(words.y)); \
    high = vec4(unpackHalf2x16(words.z), unpackHalf2x16(words.w))
#endif
