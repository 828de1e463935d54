// output = input / sqrt(mean(input²) + epsilon) * weight, for each group of a row.

layout(local_size_x = GROUP) in;

layout(set = 0, binding = 0) readonly buffer Input { float source[]; };
layout(set = 0, binding = 1) readonly buffer Weights { float weight[]; };
layout(set = 0, binding = 2) writeonly buffer Output { float result[]; };

layout(push_constant) uniform Constants {
    uint row_count;
    uint group_size;
    uint input_stride;
    uint input_column;
    uint output_stride;
    uint output_column;
    uint weight_offset;
    float epsilon;
};

void main() {
    uint first = gl_WorkGroupID.x * group_size;
    uint from = gl_WorkGroupID.y * input_stride + input_column + first;
    uint to = gl_WorkGroupID.y * output_stride + output_column + first;
    float squares = 0;
    for (uint index = gl_LocalInvocationIndex; index < group_size; index += GROUP) {
        float number = source[from + index];
        squares = fma(number, number, squares);
    }
    float factor = 1.0 / sqrt(group_sum(squares) / float(group_size) + epsilon);
    for (uint index = gl_LocalInvocationIndex; index < group_size; index += GROUP) {
        result[to + index] = source[from + index] * factor * weight[weight_offset + index];
    }
}
