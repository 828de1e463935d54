// output = left + right.

layout(local_size_x = 64) in;

layout(set = 0, binding = 0) readonly buffer Left { float left[]; };
layout(set = 0, binding = 1) readonly buffer Right { float right[]; };
layout(set = 0, binding = 2) writeonly buffer Output { float result[]; };

layout(push_constant) uniform Constants {
    uint row_count;
    uint width;
    uint left_stride;
    uint left_column;
    uint right_stride;
    uint right_column;
    uint output_stride;
    uint output_column;
};

void main() {
    uint column = gl_GlobalInvocationID.x;
    uint row = gl_WorkGroupID.y;
    if (column >= width) return;
    result[row * output_stride + output_column + column] =
        left[row * left_stride + left_column + column] + right[row * right_stride + right_column + column];
}
