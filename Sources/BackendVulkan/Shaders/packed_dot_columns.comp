// A packed linear operation for up to ROWS rows of digits (`columns.glsl`), as `packed_columns` does one of numbers: an
// invocation sums slice by slice.

layout(set = 0, binding = CODES_BINDING) readonly buffer Quanta { UNIT_TYPE quanta[]; };

// The products of one digit of eight words of the input.
#define DOTS(bytes, first, numbers) \
    (DOT(bytes[first], numbers.x) + DOT(bytes[first + 1], numbers.y) + DOT(bytes[first + 2], numbers.z) \
        + DOT(bytes[first + 3], numbers.w))

void main() {
    begin();
    float sums[ROWS * COLUMNS];
    [[unroll]] for (uint index = 0; index < ROWS * COLUMNS; index++) sums[index] = 0;
    for (uint slice = first_slice; slice < last_slice; slice++) {
        uint words[COLUMNS * BITS];
        [[unroll]] for (uint column = 0; column < COLUMNS; column++) {
            LOAD_SLICE(words, column * BITS, quanta_start + slice * UNITS * TILE + column * WIDTH)
        }
        load_scaling(slice);
        [[unroll]] for (uint row = 0; row < ROWS; row++) {
            uint record = rows[row] + slice * RECORD;
            uvec4 numbers[2 * DIGITS];
            [[unroll]] for (uint part = 0; part < 2 * DIGITS; part++) numbers[part] = source[record + part];
            vec4 head = uintBitsToFloat(source[record + 2 * DIGITS]);
            [[unroll]] for (uint column = 0; column < COLUMNS; column++) {
                uint bytes[WORDS];
                [[unroll]] for (uint word = 0; word < WORDS; word++) {
                    bytes[word] = byte_word(
                        words[column * BITS + STREAM_WORD(word)],
                        words[column * BITS + min(STREAM_WORD(word) + 1, BITS - 1)], word);
                }
                int left[DIGITS];
                int right[DIGITS];
                [[unroll]] for (uint digit = 0; digit < DIGITS; digit++) {
                    left[digit] = DOTS(bytes, 0, numbers[digit * 2]);
                    right[digit] = DOTS(bytes, 4, numbers[digit * 2 + 1]);
                }
                float sum = sums[row * COLUMNS + column];
#if SCALES == 2
                sum = add_slice(sum, left, scaling[column * 2], head.x, head.y);
                sum = add_slice(sum, right, scaling[column * 2 + 1], head.x, head.z);
#else
                [[unroll]] for (uint digit = 0; digit < DIGITS; digit++) left[digit] += right[digit];
                sum = add_slice(sum, left, scaling[column], head.x, head.w);
#endif
                sums[row * COLUMNS + column] = sum;
            }
        }
    }
    write_sums(sums);
}
