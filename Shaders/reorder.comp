// output[t][i] = input[t][order[i]]: activations in the order in which a matrix has its columns.

layout(local_size_x = 64) in;

layout(set = 0, binding = 0) readonly buffer Order { uint order[]; };
layout(set = 0, binding = 1) readonly buffer Input { float source[]; };
layout(set = 0, binding = 2) writeonly buffer Output { float result[]; };

layout(push_constant) uniform Constants {
    uint row_count;
    uint width;
    uint input_stride;
    uint input_column;
    uint output_stride;
    uint output_column;
};

void main() {
    uint column = gl_GlobalInvocationID.x;
    uint row = gl_WorkGroupID.y;
    if (column >= width) return;
    result[row * output_stride + output_column + column] = source[row * input_stride + input_column + order[column]];
}
