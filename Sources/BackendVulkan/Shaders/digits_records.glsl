// How a workgroup makes digits of numbers (`digits.glsl`), of which each invocation has four. Eight share a slice.

layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Records { uint records[]; };

#define PIECES 8

shared uint magnitudes[GROUP];
shared int integers_of[GROUP * 4];
shared int sums_of[GROUP];

// Writes the record that begins at word `record`, where `is_there`: that of the slice whose numbers `own` are those of
// invocation `gl_LocalInvocationIndex`, and of its neighbours. All invocations call it.
void write_record(vec4 own, uint record, bool is_there) {
    uint lane = gl_LocalInvocationIndex;
    uint piece = lane % PIECES;
    // The bits of positive numbers are in the numbers' order, and infinity and NaN are above all others.
    uvec4 magnitude = floatBitsToUint(own) & 0x7FFFFFFFu;
    // What was made before may still be read.
    barrier();
    magnitudes[lane] = max(max(magnitude.x, magnitude.y), max(magnitude.z, magnitude.w));
    barrier();
    uint first = lane / PIECES * PIECES;
    uint largest = 0;
    for (uint other = 0; other < PIECES; other++) largest = max(largest, magnitudes[first + other]);
    bool is_finite = largest < 0x7F800000u;
    // Below, the quotient would not be finite; such numbers are zeros.
    bool is_zero = uintBitsToFloat(largest) < 1e-30;
    float inverse = is_finite && !is_zero ? LARGEST / uintBitsToFloat(largest) : 0.0;
    ivec4 integers = is_finite ? ivec4(roundEven(own * inverse)) : ivec4(0);
    for (uint index = 0; index < 4; index++) integers_of[lane * 4 + index] = integers[index];
    sums_of[lane] = integers.x + integers.y + integers.z + integers.w;
    barrier();

    if (!is_there) return;
    uint words[DIGITS];
    for (uint digit = 0; digit < DIGITS; digit++) words[digit] = 0;
    uint start = first * 4 + piece / INTERLEAVE * INTERLEAVE * 4 + piece % INTERLEAVE;
    for (uint index = 0; index < 4; index++) {
        int rest = integers_of[start + index * INTERLEAVE];
        for (uint digit = DIGITS - 1; digit > 0; digit--) {
            int low = ((rest + 64) & 127) - 64;
            words[digit] |= uint(low & 255) << (index * 8);
            rest = (rest - low) >> DIGIT_BITS;
        }
        words[0] |= uint(rest & 255) << (index * 8);
    }
    for (uint digit = 0; digit < DIGITS; digit++) records[record + digit * PIECES + piece] = words[digit];
    if (piece > 3) return;
    // Not a number among the numbers makes all of the row's results not a number.
    float scale = is_zero ? 0.0 : is_finite ? uintBitsToFloat(largest) / LARGEST : uintBitsToFloat(0x7FC00000u);
    int left = 0;
    int right = 0;
    [[unroll]] for (uint other = 0; other < PIECES / 2; other++) {
        left += sums_of[first + other];
        right += sums_of[first + PIECES / 2 + other];
    }
    int sum = (piece == 2 ? 0 : left) + (piece == 1 ? 0 : right);
    records[record + DIGITS * PIECES + piece] = floatBitsToUint(piece == 0 ? scale : float(sum) * scale);
}
