// output = input[:, offset ..< offset + width]; the input's offset counts the columns before the slice as well.

layout(local_size_x = GROUP) in;

layout(set = 0, binding = INPUT_BINDING) readonly buffer Input { float source[]; };
layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { float result[]; };

void main() {
    uint column = gl_GlobalInvocationID.x;
    uint row = gl_WorkGroupID.y;
    if (column >= width) return;
    result[row * output_stride + output_offset + column] = source[row * input_stride + input_offset + column];
}
