// output = (input - mean) / sqrt(variance + epsilon) * weight + bias, for each group of a row.

layout(local_size_x = GROUP) in;

layout(set = 0, binding = INPUT_BINDING) readonly buffer Input { float source[]; };
layout(set = 0, binding = VECTORS_BINDING) readonly buffer Vectors { float vectors[]; };
layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { float result[]; };

void main() {
    uint group = gl_WorkGroupID.x;
    uint first = group * group_size;
    uint from = gl_WorkGroupID.y * input_stride + input_offset + first;
    uint to = gl_WorkGroupID.y * output_stride + output_offset + first;
    float sum = 0;
    for (uint index = gl_LocalInvocationIndex; index < group_size; index += GROUP) sum += source[from + index];
    float mean = group_sum(sum) / float(group_size);
    // The difference of the mean of the squares to the square of the mean would lose digits where the mean is large.
    float squares = 0;
    for (uint index = gl_LocalInvocationIndex; index < group_size; index += GROUP) {
        float distance = source[from + index] - mean;
        squares = fma(distance, distance, squares);
    }
    // Invocations may still read the first sum.
    barrier();
    float factor = 1.0 / sqrt(group_sum(squares) / float(group_size) + epsilon);
    uint weights = weight_offset + group * weight_group_stride;
    uint biases = bias_offset + group * bias_group_stride;
    for (uint index = gl_LocalInvocationIndex; index < group_size; index += GROUP) {
        float normed = (source[from + index] - mean) * factor;
        if (weight_is_there != 0) normed *= vectors[weights + index];
        if (bias_is_there != 0) normed += vectors[biases + index];
        result[to + index] = normed;
    }
}
