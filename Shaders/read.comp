// Reads only, sixteen bytes an invocation, `step_size` apart: the device's highest memory bandwidth (`SpeedProbe`).

layout(local_size_x = GROUP) in;

layout(set = 0, binding = INPUT_BINDING) readonly buffer Input { uvec4 source[]; };
layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { uvec4 result[]; };

void main() {
    uvec4 mixed = uvec4(0);
    for (uint index = gl_GlobalInvocationID.x; index < count; index += 4 * step_size) {
        // Loads that do not wait for each other.
        uvec4 first = source[index];
        uvec4 second = source[min(index + step_size, count - 1)];
        uvec4 third = source[min(index + 2 * step_size, count - 1)];
        uvec4 fourth = source[min(index + 3 * step_size, count - 1)];
        mixed ^= first ^ second ^ third ^ fourth;
    }
    // Hardly ever true, but the compiler cannot know that, and so keeps the loads.
    if (mixed == uvec4(0x9E3779B9)) result[0] = mixed;
}
