// A GEMV on quantized weights and quantized activations (`gemv.glsl`): an invocation sums slice by slice.

layout(set = 0, binding = CODES_BINDING) readonly buffer Codes { UNIT_TYPE codes[]; };

// The dot product of four words of weights and four of one limb of the input.
#define DOTS(bytes, first, numbers) \
    (DOT(bytes[first], numbers.x) + DOT(bytes[first + 1], numbers.y) + DOT(bytes[first + 2], numbers.z) \
        + DOT(bytes[first + 3], numbers.w))

void main() {
    BEGIN(has_weights(OUTPUT_TILE))
    begin();
    float sums[ROWS * OUTPUTS];
    [[unroll]] for (uint index = 0; index < ROWS * OUTPUTS; index++) sums[index] = 0;
    for (uint slice = first_slice; slice < last_slice; slice++) {
        uint words[OUTPUTS * BITS];
        [[unroll]] for (uint column = 0; column < OUTPUTS; column++) {
            LOAD_SLICE(words, column * BITS, codes_start + slice * UNITS * TILE + column * LANES)
        }
        load_scaling(slice);
        [[unroll]] for (uint row = 0; row < ROWS; row++) {
            if (!HAS_ROW(row)) continue;
            uint record = rows[row] + slice * RECORD;
            uvec4 numbers[2 * LIMBS];
            [[unroll]] for (uint part = 0; part < 2 * LIMBS; part++) numbers[part] = source[record + part];
            vec4 head = uintBitsToFloat(source[record + 2 * LIMBS]);
            [[unroll]] for (uint column = 0; column < OUTPUTS; column++) {
                uint bytes[WORDS];
                [[unroll]] for (uint word = 0; word < WORDS; word++) {
#ifdef GRID
                    bytes[word] = grid_values(
                        words[column * BITS + INDEX_WORD(word)], words[column * BITS + SIGN_WORD], extras[column], word);
#else
                    bytes[word] = byte_word(
                        words[column * BITS + STREAM_WORD(word)],
                        words[column * BITS + min(STREAM_WORD(word) + 1, BITS - 1)], word);
#endif
                }
                int left[LIMBS];
                int right[LIMBS];
                [[unroll]] for (uint limb = 0; limb < LIMBS; limb++) {
                    left[limb] = DOTS(bytes, 0, numbers[limb * 2]);
                    right[limb] = DOTS(bytes, 4, numbers[limb * 2 + 1]);
                }
                float sum = sums[row * OUTPUTS + column];
#if SCALES == 2
                sum = add_slice(sum, left, scaling[column * 2], head.x, head.y);
                sum = add_slice(sum, right, scaling[column * 2 + 1], head.x, head.z);
#else
                [[unroll]] for (uint limb = 0; limb < LIMBS; limb++) left[limb] += right[limb];
                sum = add_slice(sum, left, scaling[column], head.x, head.w);
#endif
                sums[row * OUTPUTS + column] = sum;
            }
        }
    }
    write_sums(sums);
}
