// One head of one token: its norm if it has one, its rotary embedding if it has one, and the write to a value or to the
// KV cache. `store_pair` writes two neighbouring numbers (`head_to_value.glsl`, `head_to_cache.glsl`).

layout(local_size_x = GROUP) in;

layout(set = 0, binding = INPUT_BINDING) readonly buffer Input { float source[]; };
layout(set = 0, binding = VECTORS_BINDING) readonly buffer Vectors { float vectors[]; };
layout(set = 0, binding = ANGLES_BINDING) readonly buffer Angles { vec2 angles[]; };
layout(set = 0, binding = POSITIONS_BINDING) readonly buffer Positions { uint positions[]; };
layout(set = 0, binding = SLOTS_BINDING) readonly buffer Slots { uint slots[]; };

float factor = 1;
uint from;

float normed(uint index) {
    float number = source[from + index];
    return has_norm != 0 ? number * factor * vectors[weight_offset + index] : number;
}

float rotated(uint index) {
    float own = normed(index);
    if (index >= 2 * pair_count) return own;
    bool is_first = is_interleaved != 0 ? index % 2 == 0 : index < pair_count;
    uint pair = is_interleaved != 0 ? index / 2 : (is_first ? index : index - pair_count);
    uint distance = is_interleaved != 0 ? 1 : pair_count;
    float other = normed(is_first ? index + distance : index - distance);
    vec2 angle = angles[positions[gl_WorkGroupID.y] * pair_count + pair];
    return is_first ? own * angle.x - other * angle.y : own * angle.x + other * angle.y;
}

void main() {
    uint head = gl_WorkGroupID.x;
    uint token = gl_WorkGroupID.y;
    from = token * input_stride + input_offset + head * head_size;
    if (has_norm != 0) {
        float squares = 0;
        for (uint index = gl_LocalInvocationIndex; index < head_size; index += GROUP) {
            squares = fma(source[from + index], source[from + index], squares);
        }
        factor = 1.0 / sqrt(group_sum(squares) / float(head_size) + epsilon);
    }
#ifdef TO_SCALED_HEADS
    float largest = 0;
    for (uint index = gl_LocalInvocationIndex; index < head_size; index += GROUP) {
        largest = max(largest, abs(rotated(index)));
    }
    float scale = group_max(largest) / 127.0;
    uint word_count = (head_size + 3) / 4;
    uint offset = place_of(token) + head * (word_count + 1);
    if (gl_LocalInvocationIndex == 0) target[offset] = floatBitsToUint(scale);
    for (uint word = gl_LocalInvocationIndex; word < word_count; word += GROUP) {
        uint bytes = 0;
        for (uint number = 0; number < 4; number++) {
            uint index = 4 * word + number;
            // A head of nothing but zeros has no scale to divide by.
            float ratio = index < head_size && scale > 0 ? rotated(index) / scale : 0;
            bytes |= (uint(int(roundEven(clamp(ratio, -127, 127)))) & 0xFF) << (8 * number);
        }
        target[offset + 1 + word] = bytes;
    }
#else
    for (uint index = 2 * gl_LocalInvocationIndex; index < head_size; index += 2 * GROUP) {
        store_pair(token, head * head_size + index, rotated(index), rotated(index + 1));
    }
#endif
}
