// Quantizes activations (`quantized_activations.glsl`). An invocation has four numbers; eight invocations share a
// slice.

layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Records { uint records[]; };

#define PIECES 8

shared uint magnitudes[GROUP];
shared int integers_of[GROUP * 4];
shared int sums_of[GROUP];

// Writes the record of a slice at word `record`, where `is_there`. `own` are this invocation's four numbers of the
// slice. All invocations of the workgroup must call it, as it has barriers.
void write_record(vec4 own, uint record, bool is_there) {
    uint lane = gl_LocalInvocationIndex;
    uint piece = lane % PIECES;
    // The bits of positive numbers are in the numbers' order, and infinity and NaN are above all others.
    uvec4 magnitude = floatBitsToUint(own) & 0x7FFFFFFFu;
    // The call before may still read the shared arrays.
    barrier();
    magnitudes[lane] = max(max(magnitude.x, magnitude.y), max(magnitude.z, magnitude.w));
    barrier();
    uint first = lane / PIECES * PIECES;
    uint largest = 0;
    for (uint other = 0; other < PIECES; other++) largest = max(largest, magnitudes[first + other]);
    bool is_finite = largest < 0x7F800000u;
    // Below 1e-30 the inverse would not be finite, so such numbers become zeros.
    bool is_zero = uintBitsToFloat(largest) < 1e-30;
    float inverse = is_finite && !is_zero ? LARGEST / uintBitsToFloat(largest) : 0.0;
    ivec4 integers = is_finite ? ivec4(roundEven(own * inverse)) : ivec4(0);
    for (uint index = 0; index < 4; index++) integers_of[lane * 4 + index] = integers[index];
    sums_of[lane] = integers.x + integers.y + integers.z + integers.w;
    barrier();

    if (!is_there) return;
    uint words[LIMBS];
    for (uint limb = 0; limb < LIMBS; limb++) words[limb] = 0;
    uint start = first * 4 + piece / INTERLEAVE * INTERLEAVE * 4 + piece % INTERLEAVE;
    for (uint index = 0; index < 4; index++) {
        int rest = integers_of[start + index * INTERLEAVE];
        for (uint limb = LIMBS - 1; limb > 0; limb--) {
            int low = ((rest + 64) & 127) - 64;
            words[limb] |= uint(low & 255) << (index * 8);
            rest = (rest - low) >> LIMB_BITS;
        }
        words[0] |= uint(rest & 255) << (index * 8);
    }
    for (uint limb = 0; limb < LIMBS; limb++) records[record + limb * PIECES + piece] = words[limb];
    if (piece > 3) return;
    // An infinity or NaN in the slice makes the scale NaN, and so every result of the row.
    float scale = is_zero ? 0.0 : is_finite ? uintBitsToFloat(largest) / LARGEST : uintBitsToFloat(0x7FC00000u);
    int left = 0;
    int right = 0;
    [[unroll]] for (uint other = 0; other < PIECES / 2; other++) {
        left += sums_of[first + other];
        right += sums_of[first + PIECES / 2 + other];
    }
    int sum = (piece == 2 ? 0 : left) + (piece == 1 ? 0 : right);
    records[record + LIMBS * PIECES + piece] = floatBitsToUint(piece == 0 ? scale : float(sum) * scale);
}
