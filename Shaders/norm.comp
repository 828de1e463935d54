// output = input / sqrt(mean(input²) + epsilon) * weight, for each group of a row.

layout(local_size_x = GROUP) in;

layout(set = 0, binding = INPUT_BINDING) readonly buffer Input { float source[]; };
layout(set = 0, binding = WEIGHTS_BINDING) readonly buffer Weights { float weight[]; };
layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { float result[]; };

void main() {
    uint first = gl_WorkGroupID.x * group_size;
    uint from = gl_WorkGroupID.y * input_stride + input_offset + first;
    uint to = gl_WorkGroupID.y * output_stride + output_offset + first;
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
