// What the kernels of dense linear operations share: output = input · weightsᵀ + bias.

layout(set = 0, binding = 0) readonly buffer Input { vec4 source[]; };
layout(set = 0, binding = 1) readonly buffer Weights { uvec4 weights[]; };
layout(set = 0, binding = 2) readonly buffer Bias { float bias[]; };
layout(set = 0, binding = 3) writeonly buffer Output { float result[]; };

layout(push_constant) uniform Constants {
    uint row_count;
    uint input_size;
    uint output_size;
    uint input_stride;   // In vec4.
    uint input_column;   // In vec4.
    uint output_stride;
    uint output_column;
    uint has_bias;
    uint bias_offset;
};
