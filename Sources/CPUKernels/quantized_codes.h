// What products with quantized weights read: codes, eight inputs at a time; scales; and the rows of a call.
#ifndef QUIRE_QUANTIZED_CODES_H
#define QUIRE_QUANTIZED_CODES_H

#include "numbers.h"
#include "quantized_layout.h"

/// Inputs that are unpacked together.
enum { OCTET = 8 };

/// How codes are stored: what a kernel is compiled for. The products of a kind are a program of their own, as its
/// shifts and masks are constants.
typedef struct code_kind {
    size_t bits;
    /// Of a slice.
    size_t inputs;
    quire_values values;
} code_kind;

/// The kinds of all matrices: calls `CASE(bits, inputs, values)`.
#define FOR_CODE_KINDS(CASE)          \
    CASE(2, 32, quire_values_integers) \
    CASE(2, 32, quire_values_ternary_grid) \
    CASE(2, 16, quire_values_integers) \
    CASE(3, 32, quire_values_integers) \
    CASE(3, 16, quire_values_integers) \
    CASE(3, 32, quire_values_signed_grid)  \
    CASE(3, 16, quire_values_signed_grid)  \
    CASE(3, 32, quire_values_shifted_grid) \
    CASE(3, 16, quire_values_shifted_grid) \
    CASE(4, 32, quire_values_integers) \
    CASE(4, 16, quire_values_integers) \
    CASE(4, 32, quire_values_book)     \
    CASE(4, 32, quire_values_signed_grid) \
    CASE(5, 32, quire_values_integers) \
    CASE(6, 16, quire_values_integers) \
    CASE(8, 32, quire_values_integers) \
    CASE(8, 16, quire_values_integers)

/// A kind as one number, for a switch.
#define CODE_KIND(bits, inputs, values) ((bits) << 16 | (inputs) << 8 | (values))

/// Bytes of a slice.
INLINE size_t slice_bytes(code_kind kind) { return slice_byte_count(kind.bits, kind.inputs, kind.values); }

/// Whether codes are entries of a book.
INLINE int has_book(code_kind kind) {
    return kind.values == quire_values_book || kind.values == quire_values_signed_grid
           || kind.values == quire_values_shifted_grid;
}

/// The words that hold eight inputs of sixteen outputs, shifted so that the inputs begin at the lowest bit of each
/// half word.
typedef struct octet_words {
    /// The plane of the lowest bits; for eight bits the first four inputs.
    u32x16 low;
    /// The plane of the highest bits, where there are two; for eight bits the last four inputs.
    u32x16 high;
} octet_words;

typedef uint8_t u8x16 __attribute__((ext_vector_type(16)));
typedef u8x16 u8x16_anywhere __attribute__((aligned(1), may_alias));

/// Words of sixteen outputs from `lane` on.
INLINE u32x16 plane_words(const char *plane, size_t word, size_t lane) {
    return *(const u32x16_anywhere *)(plane + (word * quire_panel_width + lane) * 4);
}

/// The only plane with less than a word of each output: one bit of 16 inputs.
INLINE u32x16 half_plane_words(const char *plane, size_t lane) {
    u16x16 halves = *(const u16x16_anywhere *)(plane + lane * 2);
    u32x16 words = __builtin_convertvector(halves, u32x16);
    return (words & 0xff) | (words & 0xff00) << 8;
}

/// Sixteen bytes as words.
INLINE u32x16 byte_words(const char *from) {
    return __builtin_convertvector(*(const u8x16_anywhere *)from, u32x16);
}

/// Eight bits of each output with even inputs in the lower half: the even ones in the lower half word.
INLINE u32x16 split_octet_bits(u32x16 bytes) { return (bytes & 15) | (bytes & 0xf0) << 12; }

/// The upper bits of indices of octets, a nibble for each, of sixteen outputs: [64] fields of four bits an octet.
INLINE u32x16 index_nibbles(const char *fields, size_t octets, size_t lane) {
    return octets == 2 ? byte_words(fields + lane)
                       : __builtin_convertvector(*(const u16x16_anywhere *)(fields + lane * 2), u32x16);
}

/// An octet of codes that are rows of `grid`, as `load_octet` gives them for codes of as many bits.
INLINE octet_words load_grid_octet(code_kind kind, const uint32_t *grid, const char *slice, size_t octet, size_t lane) {
    size_t width = quire_panel_width, octets = kind.inputs / OCTET;
    octet_words w;
    if (kind.values == quire_values_ternary_grid) {
        u32x16 upper = index_nibbles(slice + octets * width, octets, lane) >> (uint32_t)(octet * 4) & 15;
        u32x16 last = byte_words(slice + octets * width * 3 / 2 + nibble_byte(lane)) >> nibble_shift(lane);
        last = last >> (uint32_t)octet & 1;
        w.low = w.high = word_lookup(grid, byte_words(slice + octet * width + lane) | upper << 8 | last << 12);
        return w;
    }
    if (kind.values == quire_values_shifted_grid) {
        u32x16 nibbles = index_nibbles(slice + octets * width, octets, lane) >> (uint32_t)(octet * 4);
        w.low = word_lookup(grid, byte_words(slice + octet * width + lane) | (nibbles & 7) << 8);
        // The highest bit of all eight inputs.
        w.high = -(nibbles >> 3 & 1) & 0x000f000f;
        return w;
    }
    u32x16 high = split_octet_bits(byte_words(slice + ((kind.bits == 4 ? 2 * octets : octets) + octet) * width + lane));
    if (kind.bits == 4) {
        u32x16 ninth = byte_words(slice + 3 * octets * width + lane) >> (uint32_t)(2 * octet);
        u32x16 first = byte_words(slice + 2 * octet * width + lane) | (ninth & 1) << 8;
        u32x16 second = byte_words(slice + (2 * octet + 1) * width + lane) | (ninth & 2) << 7;
        // The bits of four inputs, one after another, become the highest ones of nibbles.
        high = (high | high << 3 | high << 6 | high << 9) & 0x11111111;
        w.low = w.high = word_lookup(grid, first) | word_lookup(grid, second) << 8 | high << 3;
        return w;
    }
    u32x16 index = byte_words(slice + octet * width + lane);
    if (octets == 2) {
        u32x16 nibbles = byte_words(slice + 4 * width + nibble_byte(lane)) >> nibble_shift(lane);
        index |= (nibbles >> (uint32_t)(2 * octet) & 3) << 8;
    }
    w.low = word_lookup(grid, index);
    w.high = high;
    return w;
}

/// Octet `octet` of the slice at `slice`.
INLINE octet_words load_octet(code_kind kind, const quire_quantized *q, const char *slice, size_t octet,
                              size_t lane) {
    if (has_grid(kind.values)) {
        return load_grid_octet(kind, q->grid, slice, octet, lane);
    }
    // A plane of p bits has `inputs * p / 32` words of 64 outputs.
    size_t words = quire_panel_width * 4 * kind.inputs / 32;
    octet_words w;
    switch (kind.bits) {
        case 2:
            w.low = w.high = plane_words(slice, octet / 2, lane) >> (uint32_t)(octet % 2 * 8);
            return w;
        case 3:
            w.low = plane_words(slice, octet / 2, lane) >> (uint32_t)(octet % 2 * 8);
            w.high = kind.inputs == 16 ? half_plane_words(slice + 2 * words, lane)
                                       : plane_words(slice + 2 * words, 0, lane);
            w.high >>= (uint32_t)(octet * 4);
            return w;
        case 5:
            w.low = plane_words(slice, octet, lane);
            w.high = plane_words(slice + 4 * words, 0, lane) >> (uint32_t)(octet * 4);
            return w;
        case 6:
            w.low = plane_words(slice, octet, lane);
            w.high = plane_words(slice + 4 * words, octet / 2, lane) >> (uint32_t)(octet % 2 * 8);
            return w;
        case 8:
            w.low = plane_words(slice, 2 * octet, lane);
            w.high = plane_words(slice, 2 * octet + 1, lane);
            return w;
        default:
            w.low = w.high = plane_words(slice, octet, lane);
            return w;
    }
}

/// Codes of input `i` of the octet, as 32-bit integers.
INLINE u32x16 octet_integers(size_t bits, octet_words w, size_t i) {
    uint32_t half = (uint32_t)(i % 2 * 16), pair = (uint32_t)(i / 2);
    switch (bits) {
        case 2: return w.low >> (half + 2 * pair) & 3;
        case 3: return (w.low >> (half + 2 * pair) & 3) | (w.high >> (half + pair) & 1) << 2;
        case 5: return (w.low >> (half + 4 * pair) & 15) | (w.high >> (half + pair) & 1) << 4;
        case 6: return (w.low >> (half + 4 * pair) & 15) | (w.high >> (half + 2 * pair) & 3) << 4;
        case 8: return (i < 4 ? w.low : w.high) >> (half + 8 * (pair % 2)) & 255;
        default: return w.low >> (half + 4 * pair) & 15;
    }
}

INLINE f32x16 bytes_as_floats(const char *from) {
    return __builtin_convertvector(__builtin_convertvector(*(const u8x16_anywhere *)from, i32x16), f32x16);
}

INLINE f32x16 signed_bytes_as_floats(const char *from) {
    return __builtin_convertvector(__builtin_convertvector(*(const i8x16_anywhere *)from, i32x16), f32x16);
}

/// The book of a matrix as floats.
INLINE f32x16 book_floats(const quire_quantized *q) { return bytes_as_floats((const char *)q->book); }

/// The values of input `i` of the octet, as f32, exactly. `book`: `book_floats`, where there is a book.
INLINE f32x16 octet_floats(code_kind kind, f32x16 book, octet_words w, size_t i) {
    size_t bits = kind.bits;
    if (has_book(kind)) {
        // The lookup ignores all but the four lowest bits.
        uint32_t shift = (uint32_t)(i % 2 * 16 + i / 2 * 4);
        return float_lookup(book, bits == 4 ? w.low >> shift : octet_integers(bits, w, i));
    }
    if (kind.values == quire_values_float8) {
        u32x16 codes = octet_integers(bits, w, i);
        // The multiplication corrects the bias of the exponent and normalises subnormals.
        return float_of((codes & 0x80) << 24 | (codes & 0x7f) << 20) * splat(0x1p120f);
    }
#ifdef QUIRE_AVX512
    // The lookup ignores all but the four lowest bits of an index, so it needs neither mask nor conversion.
    uint32_t half = (uint32_t)(i % 2 * 16), pair = (uint32_t)(i / 2);
    if (bits == 4) {
        const f32x16 table = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
        return float_lookup(table, w.low >> (half + 4 * pair));
    }
    if (bits == 2) {
        const f32x16 table = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};
        return float_lookup(table, w.low >> (half + 2 * pair));
    }
#endif
    // Signed, because before AVX-512 only the signed conversion is one instruction.
    return __builtin_convertvector(__builtin_bit_cast(i32x16, octet_integers(bits, w, i)), f32x16);
}

// Codes as bytes, four inputs to a word: unpacked by shifts and masks of whole words.

/// An octet as two words of four bytes: inputs 0, 4, 1, 5 and 2, 6, 3, 7.
typedef struct code_bytes {
    u32x16 words[2];
} code_bytes;

INLINE u32x16 shifted(u32x16 x, int by) { return by >= 0 ? x << (uint32_t)by : x >> (uint32_t)-by; }

/// The four codes of word `word`, `width` bits each, moved to bit `shift` of each byte.
INLINE u32x16 spread(u32x16 plane, int width, int shift, int word) {
    uint32_t mask = ((1u << width) - 1) << shift;
    u32x16 first = shifted(plane, shift - width * word) & mask * 0x00010001u;
    return first | (shifted(plane, shift + 8 - width * (word + 2)) & mask * 0x01000100u);
}

INLINE code_bytes octet_code_bytes(size_t bits, octet_words w) {
    code_bytes b;
    UNROLL for (int word = 0; word < 2; word++) {
        switch (bits) {
            case 2: b.words[word] = spread(w.low, 2, 0, word); break;
            case 3: b.words[word] = spread(w.low, 2, 0, word) | spread(w.high, 1, 2, word); break;
            case 5: b.words[word] = spread(w.low, 4, 0, word) | spread(w.high, 1, 4, word); break;
            case 6: b.words[word] = spread(w.low, 4, 0, word) | spread(w.high, 2, 4, word); break;
            case 8: {
                // Inputs 0, 2, 1, 3 and 4, 6, 5, 7.
                const uint32_t even = 0x00ff00ff, odd = 0xff00ff00;
                b.words[word] = word == 0 ? (w.low & even) | (w.high << 8 & odd) : (w.low >> 8 & even) | (w.high & odd);
                break;
            }
            default: b.words[word] = spread(w.low, 4, 0, word); break;
        }
    }
    return b;
}

#ifdef QUIRE_AVX512
/// The values of an octet as bytes.
INLINE code_bytes octet_bytes(code_kind kind, const quire_quantized *q, octet_words w) {
    code_bytes b = octet_code_bytes(kind.bits, w);
    if (has_book(kind)) {
        __m512i book = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)q->book));
        UNROLL for (int word = 0; word < 2; word++) {
            b.words[word] = (u32x16)_mm512_shuffle_epi8(book, (__m512i)b.words[word]);
        }
    }
    return b;
}
#endif

// Scale and offset of a group: its outputs are `scale · (sum of q x) + offset · (sum of x)`.

typedef struct group_scale {
    f32x16 scale, offset;
} group_scale;

/// The zeros of sixteen outputs from `lane` on.
INLINE f32x16 group_zeros(const quire_quantized *q, const quantized_group *g, size_t lane) {
    u32x16 words = *(const u32x16_anywhere *)(g->zeros + lane * 4);
    u32x16 zeros = words >> g->zero_shift & ((1u << q->bits) - 1);
    return __builtin_convertvector(__builtin_bit_cast(i32x16, zeros), f32x16);
}

/// Those of sixteen outputs from `lane` on. Where scales have 16 bits or fewer, every product here is exact.
INLINE group_scale group_scale_at(const quire_quantized *q, const quantized_group *g, size_t lane) {
    group_scale s;
    switch (q->scaling) {
        case quire_scaling_centred:
            s.scale = load_as(q->scale_dtype, g->scales, lane);
            s.offset = s.scale * -q->middle;
            break;
        case quire_scaling_zeros:
            s.scale = load_as(q->scale_dtype, g->scales, lane);
            s.offset = s.scale * -group_zeros(q, g, lane);
            break;
        case quire_scaling_minimum:
            s.scale = load_as(q->scale_dtype, g->scales, lane);
            s.offset = load_as(q->scale_dtype, g->scales, quire_panel_width + lane);
            break;
        case quire_scaling_nested_minimum:
            s.scale = load_as(quire_dtype_f16, g->outer, lane) * bytes_as_floats(g->scales + lane);
            s.offset = load_as(quire_dtype_f16, g->outer, quire_panel_width + lane)
                       * -bytes_as_floats(g->scales + quire_panel_width + lane);
            break;
        case quire_scaling_nested_nibbles: {
            u8x16 pairs = *(const u8x16_anywhere *)(g->scales + lane);
            u8x16 low = pairs & 15, high = pairs >> 4;
            s.scale = load_as(quire_dtype_f16, g->outer, lane) * bytes_as_floats((const char *)&low);
            s.offset = load_as(quire_dtype_f16, g->outer, quire_panel_width + lane)
                       * -bytes_as_floats((const char *)&high);
            break;
        }
        case quire_scaling_nested_odd: {
            u8x16 pairs = *(const u8x16_anywhere *)(g->scales + nibble_byte(lane));
            u8x16 odd = (pairs >> (uint8_t)nibble_shift(lane) & 15) * 2 + 1;
            s.scale = load_as(quire_dtype_f16, g->outer, lane) * bytes_as_floats((const char *)&odd) * q->factor;
            s.offset = s.scale * -q->middle;
            break;
        }
        case quire_scaling_nested_centred:
            s.scale = load_as(quire_dtype_f16, g->outer, lane) * signed_bytes_as_floats(g->scales + lane) * q->factor;
            s.offset = s.scale * -q->middle;
            break;
    }
    return s;
}

// The input rows of a call: their addresses, and the sums of their groups.

/// The most rows that are multiplied with a panel together, and the inputs that are unpacked for them at a time.
enum { BLOCK_ROWS = 192, BLOCK_INPUTS = 128, MAX_SUMS = 2 * quire_max_group_count };

typedef struct quantized_input {
    const char *x;
    /// Bytes from row to row.
    size_t stride;
    /// For f32 inputs only: the number of inputs in whole slices, and the inputs of an incomplete last slice, padded
    /// with zeros.
    size_t whole_inputs;
    _Alignas(64) float tails[BLOCK_ROWS][32];
    /// [rows, groups]
    float sums[MAX_SUMS];
} quantized_input;

/// How many rows fit into one `quantized_input`.
INLINE size_t block_rows(const panel_shape *s) { return smaller(BLOCK_ROWS, MAX_SUMS / s->groups); }

#endif
