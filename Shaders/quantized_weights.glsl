// A quantized weight matrix on the device (`QuantizedFormat`): tiles of TILE rows, and in a tile slices of SLICE
// inputs. A slice is BITS words of each row, a stream of bits with the lowest first. UNIT words of a row lie together,
// and the rows of a tile side by side, so that the loads of neighbouring invocations are one wide load. Scales lie in a
// buffer of their own, group after group of a tile, again rows side by side. The scale and the offset of a row's group
// give weight = scale * value + offset, which for 16-bit scales is exactly the number that the format stands for. The
// value of a code is the code itself, with a book (BOOK_0 and so on) one of its entries, signed bytes, and with FLOAT8
// the float E4M3 that has these bits.

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

// How a value becomes a weight (`CodeFormat.Scaling`). A slice has SCALES groups, one or two.
#define CENTRED 0
#define ZEROS 1
#define MINIMUM 2
#define NESTED_MINIMUM 3
#define NESTED_CENTRED 4
#define NESTED_NIBBLES 5
#define GRID_NIBBLES 6

// The middle of values, which a centred scaling subtracts; books and floats are signed, so theirs is zero.
#if defined(BOOK_0) || defined(FLOAT8)
#define MIDDLE 0
#endif

#ifndef GRID
#ifdef BOOK_0
// The word of the book with entry `code`.
uint book_word(uint code) {
#if BITS == 3
    return code < 4u ? uint(BOOK_0) : uint(BOOK_1);
#else
    uint low = code < 4u ? uint(BOOK_0) : uint(BOOK_1);
    uint high = code < 12u ? uint(BOOK_2) : uint(BOOK_3);
    return code < 8u ? low : high;
#endif
}

float code_value(uint code) { return float(bitfieldExtract(int(book_word(code)), int(code % 4u * 8u), 8)); }

// The values of four codes, one a byte, as signed bytes.
uint byte_values(uint four) {
    uint values = 0;
    [[unroll]] for (uint shift = 0; shift < 32; shift += 8) {
        uint code = four >> shift & MASK;
        values |= (book_word(code) >> (code % 4u * 8u) & 0xFFu) << shift;
    }
    return values;
}
#elif defined(FLOAT8)
// The float E4M3 with these bits, without subnormal numbers, which drivers may flush to zero: such a code gets a leading
// one, which is taken off again.
float code_value(uint code) {
    uint magnitude = code & 0x7Fu;
    uint is_small = uint(magnitude < 8u);
    precise float number = uintBitsToFloat((magnitude << 20) + (120u + is_small << 23))
        - uintBitsToFloat(is_small * 0x3C800000u);
    return uintBitsToFloat(floatBitsToUint(number) | (code & 0x80u) << 24);
}
#else
float code_value(uint code) { return float(int(code)); }
#endif
#endif

#ifdef GRID
// Codes that are rows of a grid (`GridFormat`). A slice has the lowest eight bits of its indices, one for eight inputs or
// one for four, and a word of signs.
#if INDEX_INPUTS == 8
#define INDEX_WORD(piece) 0
#else
#define INDEX_WORD(piece) ((piece) / 4)
#endif
#define SIGN_WORD (BITS - 1)

#define IQ3_XXS 3
#define IQ3_S 4

// The values of piece `piece` as signed bytes. `indices` is the word with its index, `signs` that of the slice's signs,
// `extra` the upper bits of the slice's indices, and IQ1's signs.
uint grid_values(uint indices, uint signs, uint extra, uint piece) {
#if INDEX_INPUTS == 8
    uint slot = piece / 2;
#else
    uint slot = piece;
#endif
    uint index = indices >> (slot % 4 * 8) & 0xFFu;
#if UPPER_BITS == 3
    index |= (extra >> (slot * 4) & 7u) << 8;
#elif UPPER_BITS > 0
    index |= (extra >> (slot * UPPER_BITS) & ((1u << UPPER_BITS) - 1u)) << 8;
#endif
    uint row = scales[index / 2] >> (index % 2 * 16);
    // The magnitudes' indices, a byte each.
#if INDEX_INPUTS == 8
    row >>= piece % 2 * 8;
    uint four = (row & 3u) | (row & 0xCu) << 6 | (row & 0x30u) << 12 | (row & 0xC0u) << 18;
#else
    uint four = (row & 7u) | (row & 0x38u) << 5 | (row & 0x1C0u) << 10 | (row & 0xE00u) << 15;
#endif
#if UPPER_BITS == 3
    // 8 (index - 1) and one more or less, first counted from -9.
    uint counted = four * 8 + (extra >> (slot * 4 + 3) & 1u) * 0x02020202u;
    return (counted + 0x77777777u) ^ 0x80808080u;
#else
#if GRID == IQ3_XXS
    // 4, 12, 20, 28, 36, 44, 52, 62.
    uint values = four * 8 + 0x04040404u + (four & four >> 1 & four >> 2 & 0x01010101u) * 2;
#elif GRID == IQ3_S
    uint values = four * 2 + 0x01010101u;
#else
    // 8, 25, 43.
    uint values = 0x08080808u + (four & 0x01010101u) * 17 + (four >> 1 & 0x01010101u) * 35;
#endif
    // Four signs, a byte each; no value is zero, so that no negation carries into the next byte.
    uint negative = (signs >> (piece * 4) & 15u) * 0x00204081u & 0x01010101u;
    return (values ^ negative * 255u) + negative;
#endif
}

vec4 byte_floats(uint bytes) {
    int four = int(bytes);
    return vec4(
        bitfieldExtract(four, 0, 8), bitfieldExtract(four, 8, 8), bitfieldExtract(four, 16, 8),
        bitfieldExtract(four, 24, 8));
}
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

// Word `word` of the slice that begins at `start`, where codes are loaded as single words.
#define CODES_WORD(start, word) codes[(start) + (word) / UNIT * UNIT * TILE + (word) % UNIT]

// Code `index` of the slice whose words begin at `base`. As `index` is a constant, the compiler keeps one of the
// branches.
#define CODE(words, base, index) \
    code_value((((index) * BITS % 32 + BITS <= 32 \
        ? words[(base) + (index) * BITS / 32] >> ((index) * BITS % 32) \
        : (words[(base) + (index) * BITS / 32] >> ((index) * BITS % 32)) \
            | (words[(base) + min((index) * BITS / 32 + 1, BITS - 1)] << ((32 - (index) * BITS % 32) % 32))) & MASK))

// The weights of piece `piece`. `extra`: of rows of a grid, the bits beside the slice's scales.
#ifdef GRID
#define PIECE(words, base, piece, scaling, extra) \
    fma(byte_floats(grid_values( \
            words[(base) + INDEX_WORD(piece)], words[(base) + SIGN_WORD], extra, piece)), \
        vec4(scaling.x), vec4(0))
#else
#define PIECE(words, base, piece, scaling, extra) \
    fma(vec4(CODE(words, base, (piece) * 4), CODE(words, base, (piece) * 4 + 1), \
             CODE(words, base, (piece) * 4 + 2), CODE(words, base, (piece) * 4 + 3)), \
        vec4(scaling.x), vec4(scaling.y))
#endif

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
#define OUTER_WORDS TILE
#elif SCALING == NESTED_NIBBLES
#define GROUP_WORDS (TILE / 4)
#define OUTER_WORDS TILE
#elif SCALING == GRID_NIBBLES
// Of a slice: a byte with the scales of its groups, and the extra bits.
#define SLICE_WORDS (TILE / 4 + TILE * EXTRA_BITS / 32)
#define GROUP_WORDS (SLICE_WORDS / SCALES)
#define OUTER_WORDS (TILE / 2)
#else
#define GROUP_WORDS (TILE / 4)
#define OUTER_WORDS (TILE / 2)
#endif

// Groups that share outer scales: those of 256 inputs.
#define OUTER_GROUPS (8 * SCALES)

// Words of all scales of a tile.
uint scale_stride(uint group_count) {
#ifdef OUTER_WORDS
    return group_count * GROUP_WORDS + (group_count + OUTER_GROUPS - 1) / OUTER_GROUPS * OUTER_WORDS;
#else
    return group_count * GROUP_WORDS;
#endif
}

// The word at which the scales of tile `tile` begin: before those of the first one there is the grid.
uint scales_of_tile(uint tile, uint group_count) {
#ifdef GRID
    return GRID_WORDS + tile * scale_stride(group_count);
#else
    return tile * scale_stride(group_count);
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

// A power of two.
#define FACTOR uintBitsToFloat(uint(127 + FACTOR_EXPONENT) << 23)

// Scale and offset of row `lane` of the tile whose scales begin at `start`, for its group `group`; the same bits in
// every kernel.
vec2 scaling_of(uint start, uint group, uint group_count, uint lane) {
#if SCALING == GRID_NIBBLES
    uint first = start + group / SCALES * SLICE_WORDS;
#else
    uint first = start + group * GROUP_WORDS;
#endif
#if SCALING == CENTRED
    float scale = stored_scale(first, lane);
    precise float offset = -float(MIDDLE) * scale;
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
#elif SCALING == GRID_NIBBLES
    uint own = scales[first + lane / 4] >> (lane % 4 * 8 + group % SCALES * 4) & 15u;
    precise float scale = unpack_halves(scale_half(outer, lane)).x * (float(int(2 * own + 1)) * FACTOR);
    return vec2(scale, 0);
#elif SCALING == NESTED_NIBBLES
    vec2 steps = unpack_halves(scales[outer + lane]);
    uint pair = scales[first + lane / 4] >> (lane % 4 * 8);
    precise float scale = steps.x * float(int(pair & 15u));
    precise float offset = -steps.y * float(int(pair >> 4 & 15u));
    return vec2(scale, offset);
#else
    int own = bitfieldExtract(int(scales[first + lane / 4]), int(lane % 4 * 8), 8);
    precise float scale = unpack_halves(scale_half(outer, lane)).x * (float(own) * FACTOR);
    precise float offset = -float(MIDDLE) * scale;
    return vec2(scale, offset);
#endif
#endif
}

#ifdef GRID
// The bits of slice `slice` that lie beside the scales of row `lane`, whose tile's scales begin at `start`.
uint extra_of(uint start, uint slice, uint lane) {
#if EXTRA_BITS == 0
    return 0;
#elif EXTRA_BITS == 8
    return scales[start + slice * SLICE_WORDS + TILE / 4 + lane / 4] >> (lane % 4 * 8) & 0xFFu;
#else
    return scale_half(start + slice * SLICE_WORDS + TILE / 4, lane);
#endif
}
#endif
