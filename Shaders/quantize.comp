// output[t] = input[t] as quantized activations (`quantized_activations.glsl`).

layout(local_size_x = GROUP) in;

layout(set = 0, binding = INPUT_BINDING) readonly buffer Input { vec4 source[]; };

void main() {
    uint row = gl_WorkGroupID.y;
    uint column = gl_GlobalInvocationID.x * 4;
    vec4 own = vec4(0);
    if (column < width) {
        own = source[row * input_stride + input_offset + column / 4];
        // What follows the end of a row is unknown, so it is masked.
        own = mix(vec4(0), own, lessThan(column + uvec4(0, 1, 2, 3), uvec4(width)));
    }
    uint slice = column / SLICE;
    write_record(own, row * output_stride + output_offset + slice * RECORD * 4, slice * SLICE < width);
}
