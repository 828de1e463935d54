// A quantized weight matrix on the device (`QuantizedFormat`): tiles of TILE rows, and in a tile slices of SLICE
// inputs. A slice is BITS words of each row, a stream of bits with the lowest first. UNIT words of a row lie together,
// and the rows of a tile side by side, so that the loads of neighbouring invocations are one wide load. Scales lie in a
// buffer of their own, group after group of a tile, again rows side by side. The scale and the offset of a row's group
// give weight = scale * code + offset, which for 16-bit scales is exactly the number that the format stands for.

layout(set = 0, binding = SCALES_BINDING) readonly buffer Scales { uint scales[]; };

#define TILE 32
#ifndef SLICE
#define SLICE 32
#endif
// A piece is four numbers.
#define PIECES (SLICE / 4)

#if BITS % 4 == 0
#define UNIT 4
#define UNIT_TYPE uvec4
#elif BITS % 2 == 0
#define UNIT 2
#define UNIT_TYPE uvec2
#else
#define UNIT 1
#define UNIT_TYPE uint
#endif
#define UNITS (BITS / UNIT)

#define MASK ((1u << BITS) - 1u)
#define MIDDLE float(1 << (BITS - 1))

// How a code becomes a weight (`QuantizedFormat.Scaling`).
#define CENTRED 0
#define ZEROS 1
#define MINIMUM 2
#define NESTED_MINIMUM 3
#define NESTED_CENTRED 4

// Scales of a slice.
#if SCALING == NESTED_CENTRED
#define SCALES 2
#else
#define SCALES 1
#endif

// Loads the slice that begins at element `first` into `words`, from index `base` on.
#if UNIT == 4
#define LOAD_SLICE(words, base, first) \
    [[unroll]] for (uint unit = 0; unit < UNITS; unit++) { \
        uvec4 loaded = codes[(first) + unit * TILE]; \
        words[(base) + unit * 4] = loaded.x; \
        words[(base) + unit * 4 + 1] = loaded.y; \
        words[(base) + unit * 4 + 2] = loaded.z; \
        words[(base) + unit * 4 + 3] = loaded.w; \
    }
#elif UNIT == 2
#define LOAD_SLICE(words, base, first) \
    [[unroll]] for (uint unit = 0; unit < UNITS; unit++) { \
        uvec2 loaded = codes[(first) + unit * TILE]; \
        words[(base) + unit * 2] = loaded.x; \
        words[(base) + unit * 2 + 1] = loaded.y; \
    }
#else
#define LOAD_SLICE(words, base, first) \
    [[unroll]] for (uint unit = 0; unit < UNITS; unit++) words[(base) + unit] = codes[(first) + unit * TILE];
#endif

// Code `index` of the slice whose words begin at `base`. As `index` is a constant, the compiler keeps one of the
// branches.
#define CODE(words, base, index) \
    float(int(((index) * BITS % 32 + BITS <= 32 \
        ? words[(base) + (index) * BITS / 32] >> ((index) * BITS % 32) \
        : (words[(base) + (index) * BITS / 32] >> ((index) * BITS % 32)) \
            | (words[(base) + min((index) * BITS / 32 + 1, BITS - 1)] << ((32 - (index) * BITS % 32) % 32))) & MASK))

// The weights of piece `piece`.
#define PIECE(words, base, piece, scaling) \
    fma(vec4(CODE(words, base, (piece) * 4), CODE(words, base, (piece) * 4 + 1), \
             CODE(words, base, (piece) * 4 + 2), CODE(words, base, (piece) * 4 + 3)), \
        vec4(scaling.x), vec4(scaling.y))

// Words that one scale of each row of a tile takes.
#define SCALE_WORDS (TILE * SCALE_BITS / 32)

#if SCALING == CENTRED
#define GROUP_WORDS SCALE_WORDS
#elif SCALING == ZEROS
// A zero of three bits takes four, so that no zero straddles two words.
#if BITS == 3
#define ZERO_BITS 4
#else
#define ZERO_BITS BITS
#endif
#define GROUP_WORDS (SCALE_WORDS + ZERO_BITS)
#elif SCALING == MINIMUM
#define GROUP_WORDS TILE
#elif SCALING == NESTED_MINIMUM
#define GROUP_WORDS (TILE / 2)
#define OUTER_GROUPS 8
#define OUTER_WORDS TILE
#else
#define GROUP_WORDS (TILE / 4)
#define OUTER_GROUPS 16
#define OUTER_WORDS (TILE / 2)
#endif

// Words of all scales of a tile.
uint scale_stride(uint group_count) {
#ifdef OUTER_GROUPS
    return group_count * GROUP_WORDS + (group_count + OUTER_GROUPS - 1) / OUTER_GROUPS * OUTER_WORDS;
#else
    return group_count * GROUP_WORDS;
#endif
}

// The 16 bits of `lane` among those from word `first` on.
uint scale_half(uint first, uint lane) { return scales[first + lane / 2] >> (lane % 2 * 16) & 0xFFFFu; }

#ifndef HALVES_BY_INTEGERS
#define unpack_halves unpackHalf2x16
#else
// Drivers may flush halves below 2^-14 to zero, and the outer scales of GGUF's K formats are mostly that small. This
// has no branches, because some compilers take minutes for hundreds of them.
float half_as_float(uint bits) {
    uint magnitude = bits & 0x7FFFu;
    uint is_small = uint(magnitude < 0x400u);
    uint is_infinite = uint(magnitude >= 0x7C00u);
    uint exponent = 0x38000000u + (is_small << 23) + is_infinite * 0x38000000u;
    // A subnormal half has no leading one: it gets one, which is taken off again.
    precise float number = uintBitsToFloat((magnitude << 13) + exponent) - uintBitsToFloat(is_small * 0x38800000u);
    return uintBitsToFloat(floatBitsToUint(number) | (bits & 0x8000u) << 16);
}

vec2 unpack_halves(uint word) { return vec2(half_as_float(word & 0xFFFFu), half_as_float(word >> 16)); }
#endif

float stored_scale(uint first, uint lane) {
#if SCALE_BITS == 32
    return uintBitsToFloat(scales[first + lane]);
#elif SCALE_IS_BFLOAT
    return uintBitsToFloat(scale_half(first, lane) << 16);
#else
    return unpack_halves(scale_half(first, lane)).x;
#endif
}

// Scale and offset of row `lane` of the tile whose scales begin at `start`, for its group `group`; the same bits in
// every kernel.
vec2 scaling_of(uint start, uint group, uint group_count, uint lane) {
    uint first = start + group * GROUP_WORDS;
#if SCALING == CENTRED
    float scale = stored_scale(first, lane);
    precise float offset = -MIDDLE * scale;
    return vec2(scale, offset);
#elif SCALING == ZEROS
    float scale = stored_scale(first, lane);
    uint bit = lane * ZERO_BITS;
    uint zero = scales[first + SCALE_WORDS + bit / 32] >> (bit % 32) & ((1u << ZERO_BITS) - 1u);
    precise float offset = -float(int(zero)) * scale;
    return vec2(scale, offset);
#elif SCALING == MINIMUM
    return unpack_halves(scales[first + lane]);
#else
    uint outer = start + group_count * GROUP_WORDS + group / OUTER_GROUPS * OUTER_WORDS;
#if SCALING == NESTED_MINIMUM
    vec2 steps = unpack_halves(scales[outer + lane]);
    uint pair = scale_half(first, lane);
    precise float scale = steps.x * float(int(pair & 0xFFu));
    precise float offset = -steps.y * float(int(pair >> 8));
    return vec2(scale, offset);
#else
    int own = bitfieldExtract(int(scales[first + lane / 4]), int(lane % 4 * 8), 8);
    precise float scale = unpack_halves(scale_half(outer, lane)).x * float(own);
    precise float offset = -MIDDLE * scale;
    return vec2(scale, offset);
#endif
#endif
}
