// output[t] = input[t] as digits (`digits.glsl`). Eight invocations share a slice.

layout(local_size_x = GROUP) in;

layout(set = 0, binding = 0) readonly buffer Input { vec4 source[]; };
layout(set = 0, binding = 1) writeonly buffer Output { uint result[]; };

layout(push_constant) uniform Constants {
    uint row_count;
    uint width;
    uint input_stride;    // In vec4.
    uint input_column;    // In vec4.
    uint output_stride;
    uint output_column;
};

#define PIECES 8

shared uint magnitudes[GROUP];
shared int numbers[GROUP * 4];

void main() {
    uint lane = gl_LocalInvocationIndex;
    uint piece = lane % PIECES;
    uint slice = gl_WorkGroupID.x * (GROUP / PIECES) + lane / PIECES;
    uint row = gl_WorkGroupID.y;
    uint column = (slice * PIECES + piece) * 4;

    vec4 own = vec4(0);
    if (column < width) {
        own = source[row * input_stride + input_column + column / 4];
        // What follows the end is not zero but unknown.
        own = mix(vec4(0), own, lessThan(column + uvec4(0, 1, 2, 3), uvec4(width)));
    }
    // The bits of positive numbers are in the numbers' order, and infinity and NaN are above all others.
    uvec4 magnitude = floatBitsToUint(own) & 0x7FFFFFFFu;
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
    for (uint index = 0; index < 4; index++) numbers[lane * 4 + index] = integers[index];
    barrier();

    if (slice * PIECES * 4 >= width) return;
    uint words[DIGITS];
    for (uint digit = 0; digit < DIGITS; digit++) words[digit] = 0;
    uint start = first * 4 + piece / INTERLEAVE * INTERLEAVE * 4 + piece % INTERLEAVE;
    for (uint index = 0; index < 4; index++) {
        int rest = numbers[start + index * INTERLEAVE];
        for (uint digit = DIGITS - 1; digit > 0; digit--) {
            int low = ((rest + 64) & 127) - 64;
            words[digit] |= uint(low & 255) << (index * 8);
            rest = (rest - low) >> DIGIT_BITS;
        }
        words[0] |= uint(rest & 255) << (index * 8);
    }
    uint record = row * output_stride + output_column + slice * RECORD * 4;
    for (uint digit = 0; digit < DIGITS; digit++) result[record + digit * PIECES + piece] = words[digit];
    if (piece > 3) return;
    // Not a number among the numbers makes all of the row's results not a number.
    float scale = is_zero ? 0.0 : is_finite ? uintBitsToFloat(largest) / LARGEST : uintBitsToFloat(0x7FC00000u);
    int sum = 0;
    uint begin = piece == 2 ? 16 : 0;
    uint end = piece == 1 ? 16 : 32;
    for (uint index = begin; index < end; index++) sum += numbers[first * 4 + index];
    result[record + DIGITS * PIECES + piece] = floatBitsToUint(piece == 0 ? scale : float(sum) * scale);
}
