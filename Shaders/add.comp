// output = left + right.

layout(local_size_x = GROUP) in;

layout(set = 0, binding = LEFT_BINDING) readonly buffer Left { float left[]; };
layout(set = 0, binding = RIGHT_BINDING) readonly buffer Right { float right[]; };
layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { float result[]; };

void main() {
    uint column = gl_GlobalInvocationID.x;
    uint row = gl_WorkGroupID.y;
    if (column >= width) return;
    result[row * output_stride + output_offset + column] =
        left[row * left_stride + left_offset + column] + right[row * right_stride + right_offset + column];
}
